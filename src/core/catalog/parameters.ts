import type { OperationName, Parameter } from './catalog.ts';
import { encodedParameters, enumValues } from './data/parameters.ts';
import { TYPE_CODES } from './type-codes.ts';

/**
 * The top-level parameters of an operation; `expand` is always among the acceptable ones, listed or not.
 * Load this module only where parameters are needed: its data is the largest in the program.
 * @throws on a name that the catalog does not have
 */
export function parametersOf(operation: OperationName): readonly Parameter[] {
  const encoded = encodedParameters[operation];
  if (encoded === undefined) throw new RangeError(`The catalog has no operation ${operation}`);
  return decodeParameters(encoded, enumValues);
}

/** The names of all top-level parameters of all operations. */
export function parameterNames(): ReadonlySet<string> {
  const encoded = Object.values(encodedParameters).flatMap((text) => text.split(' '));
  return new Set(encoded.map((text) => text.replace(/!?:.*$/, '')).filter((name) => name !== ''));
}

/** @param lists the shared lists of enum values that the text refers to by number */
function decodeParameters(encoded: string, lists: readonly (readonly string[])[]): readonly Parameter[] {
  return encoded === '' ? [] : encoded.split(' ').map((text) => decodeParameter(text, lists));
}

function decodeParameter(text: string, lists: readonly (readonly string[])[]): Parameter {
  const [mark = '', code = ''] = text.split(':');
  const required = mark.endsWith('!');
  const name = required ? mark.slice(0, -1) : mark;
  const type = TYPE_OF_CODE.get(code.charAt(0));
  if (type === undefined) throw new RangeError(`${text} is no encoded parameter`);
  const values = lists[Number(code.slice(1))];
  return type === 'enum' && values ? { name, required, type, values } : { name, required, type };
}

const TYPE_OF_CODE = new Map(
  Object.entries(TYPE_CODES).map(([type, code]) => [code as string, type as Parameter['type']]),
);
