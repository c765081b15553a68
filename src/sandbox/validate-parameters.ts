import type { Operation, Parameter } from '../core/catalog/catalog.ts';
import { parametersOf } from '../core/catalog/parameters.ts';
import { type Answer, errorAnswer } from '../http/answer.ts';
import type { Fields } from '../http/form-body.ts';

/** Takes the parameters of an operation as they are in the SDK's declarations; what is inside of them is not checked. */
export class ParameterValidator {
  readonly #byOperation = new Map<string, ReadonlyMap<string, Parameter>>();

  /** Undefined when the parameters will do, else HTTP 400. */
  check(operation: Operation, fields: Fields): Answer | undefined {
    const parameters = this.#parameters(operation);
    for (const name of Object.keys(fields)) {
      if (!parameters.has(name) && !isUndeclared(name, operation)) {
        return errorAnswer(400, {
          code: 'parameter_unknown',
          message: `Received unknown parameter: ${name}`,
          param: name,
        });
      }
    }
    for (const parameter of parameters.values()) {
      const wrong = checkOne(parameter, fields[parameter.name]);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  /** Form fields are text; numbers and booleans among the parameters become what they are. */
  coerce(operation: Operation, fields: Fields): Fields {
    const parameters = this.#parameters(operation);
    const coerced: Fields = {};
    for (const name of Object.keys(fields))
      coerced[name] = coerceOne(parameters.get(name)?.type, fields[name]);
    return coerced;
  }

  #parameters(operation: Operation): ReadonlyMap<string, Parameter> {
    const known = this.#byOperation.get(operation.name);
    if (known !== undefined) return known;
    const parameters = new Map(parametersOf(operation.name).map((one) => [one.name, one] as const));
    this.#byOperation.set(operation.name, parameters);
    return parameters;
  }
}

/** What the SDK does not declare: `expand`, and `page`, which the `next_page_url` of a v2 list carries. */
function isUndeclared(name: string, { path, kind }: Operation): boolean {
  return name === 'expand' || (name === 'page' && kind === 'list' && path.startsWith('/v2/'));
}

function coerceOne(type: Parameter['type'] | undefined, value: unknown): unknown {
  if (typeof value !== 'string' || value === '') return value;
  if (type === 'number') return Number(value);
  if (type === 'boolean') return value === 'true' || value === '1';
  return value;
}

function checkOne(parameter: Parameter, value: unknown): Answer | undefined {
  const { name, required, type, values } = parameter;
  if (value === undefined) {
    return required
      ? errorAnswer(400, {
          code: 'parameter_missing',
          message: `Missing required param: ${name}.`,
          param: name,
        })
      : undefined;
  }
  // An empty string unsets a value.
  if (value === '' || value === null) return undefined;
  switch (type) {
    case 'enum':
      return typeof value === 'string' && values !== undefined && !values.includes(value)
        ? errorAnswer(400, {
            message: `Invalid ${name}: must be one of ${listed(values)}`,
            param: name,
          })
        : undefined;
    case 'number':
      return typeof value === 'object' || !Number.isFinite(Number(value))
        ? errorAnswer(400, {
            code: 'parameter_invalid_integer',
            message: `Invalid integer: ${String(typeof value === 'string' ? value : '')}`,
            param: name,
          })
        : undefined;
    case 'boolean':
      return /^(?:true|false|0|1)$/.test(String(value))
        ? undefined
        : errorAnswer(400, { message: `Invalid boolean: ${name}`, param: name });
    case 'string':
      return typeof value === 'object'
        ? errorAnswer(400, { message: `Invalid string: ${name}`, param: name })
        : undefined;
    case 'array':
      return typeof value === 'object'
        ? undefined
        : errorAnswer(400, { message: `Invalid array`, param: name });
    default:
      return undefined;
  }
}

function listed(values: readonly string[]): string {
  return values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}
