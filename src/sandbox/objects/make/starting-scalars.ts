import type { DeclaredType } from '../../../core/catalog/declared-types.ts';
import { randomText } from '../../random-text.ts';
import { STARTING_TEXTS } from './starting-values.ts';

/** The field in question: `charge.outcome.type` and `type`. */
interface FieldPlace {
  readonly path: string;
  readonly name: string;
}

const DAY_S = 86_400;

const TIME = /(?:^|_)(?:at|date|start|end|on|anchor|time|until|created|deadline|updated|timestamp)$/;
const SECRET = /(?:^|_)(?:secret|client_secret)$/;

/** What stands in a field of every object alike; undefined where it is each object's own. */
export function sharedScalar(
  type: DeclaredType,
  { path, name }: FieldPlace,
): string | number | boolean | null | undefined {
  switch (type.kind) {
    case 'integer':
      return name.startsWith('expires') || TIME.test(name) ? undefined : 0;
    case 'number':
      return 0;
    case 'decimal':
    case 'int64':
      return '0';
    case 'boolean':
      return false;
    case 'true':
      return true;
    case 'enum':
      return type.values[0] ?? '';
    case 'string':
      return startingText({ path, name });
    default:
      return null;
  }
}

/** Whether a field can hold more than a scalar. */
export function isStructured({ kind }: DeclaredType): boolean {
  return STRUCTURED.has(kind);
}

const STRUCTURED: ReadonlySet<string> = new Set(['map', 'array', 'list', 'part', 'object', 'union']);

function startingText({ name, path }: FieldPlace): string | undefined {
  if ((path.startsWith('v2.') && TIME.test(name)) || SECRET.test(name)) return undefined;
  if (/(?:^|_)url$/.test(name)) return `https://stripe.invalid/${path.replaceAll('.', '/')}`;
  return STARTING_TEXTS[name] ?? '';
}

/** What is each object's own: a time, or a secret. @param now in ms since 1970 */
export function ownScalar(type: DeclaredType, { name, path }: FieldPlace, now: number): string | number {
  if (type.kind === 'integer') return Math.floor(now / 1000) + (name.startsWith('expires') ? DAY_S : 0);
  if (path.startsWith('v2.') && TIME.test(name)) return new Date(now).toISOString();
  return `${path.replace(/\..*$/, '')}_secret_${randomText(24)}`;
}
