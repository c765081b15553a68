import type { OperationName } from '../../catalog/catalog.ts';
import { someOf } from '../../some-of.ts';

/** `a`, `a and b`, or `7 calls: a, b, c and 4 more`. */
export function callsInWords(operations: readonly OperationName[]): string {
  if (operations.length <= 2) return operations.join(' and ');
  return `${operations.length} calls: ${someOf(operations)}`;
}
