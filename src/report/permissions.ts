import type { Catalog } from '../core/catalog/catalog.ts';
import type { SmallestGrant } from '../core/grant/smallest-grant.ts';
import { someOf } from '../core/some-of.ts';
import { counted, paintFor, type TextOutput, wrap } from './text.ts';

/** `permissions --format json`, schema `keyaudit.permissions/1`. */
export function permissionsJson({ permissions, endpoints, unresolved, reasons }: SmallestGrant): unknown {
  return { schema: 'keyaudit.permissions/1', permissions, endpoints, unresolved, reasons };
}

export function renderPermissionsTable(
  grant: SmallestGrant,
  catalog: Catalog,
  output: TextOutput,
  { full }: { full: boolean },
): void {
  const paint = paintFor(output);
  if (grant.permissions.length > 0) output.write(`${paint.bold(grant.permissions.join(' '))}\n`);
  for (const { permission, operations } of grant.reasons) {
    const row = catalog.permission(permission)?.label;
    const label = row === undefined ? '' : ` (Stripe's row "${row}")`;
    const covers = operations.length > 1 ? `: one permission for ${counted(operations.length, 'call')}` : '';
    output.write(
      wrap(
        `${permission}${label} for ${full ? operations.join(', ') : someOf(operations)}${covers}`,
        output,
        { indent: '    ', first: '  ' },
      ),
    );
  }
  if (full) {
    for (const { endpoint, operation, permissions: names, provenance } of grant.endpoints) {
      output.write(`  ${endpoint}  ${paint.dim(`${operation}: ${names.join(' or ')} (${provenance})`)}\n`);
    }
  }
  for (const { endpoint, remarks = [] } of grant.endpoints) {
    for (const remark of remarks) {
      output.write(
        wrap(`${endpoint}: ${remark}`, output, { indent: '    ', first: `  ${paint.yellow('!')} ` }),
      );
    }
  }
  for (const { endpoint, reason } of grant.unresolved) {
    output.write(
      wrap(`${endpoint}: ${reason}`, output, { indent: '    ', first: `  ${paint.yellow('?')} ` }),
    );
  }
}
