import { byText } from '../../by-text.ts';
import { allows, type Catalog, type PermissionName } from '../../catalog/catalog.ts';
import { RISK_TIERS, riskOf } from '../../catalog/risk.ts';
import type { Finding, ProbeResult } from '../../verdict/finding.ts';

/**
 * The fewest permissions that explain what a key could do and should not: for each finding the one that it is put down
 * to. Ruled out is what would have allowed a call that was refused. A finding by Stripe's record names its permission
 * itself. Undefined for what no permission of the catalog explains.
 */
export function explainAllowed(
  findings: readonly Finding[],
  {
    refused,
    effective,
    catalog,
  }: {
    readonly refused: readonly ProbeResult[];
    /** What the grant gives: none of it is extra. */
    readonly effective: ReadonlySet<PermissionName>;
    readonly catalog: Catalog;
  },
): ReadonlyMap<Finding, PermissionName> {
  const explained = new Map<Finding, PermissionName>();
  const reach = new Map<PermissionName, ReadonlySet<PermissionName>>();
  const closureOf = (permission: PermissionName) => {
    const known = reach.get(permission) ?? catalog.closure([permission]);
    reach.set(permission, known);
    return known;
  };
  const covers = (permission: PermissionName, { operation }: Pick<ProbeResult, 'operation'>): boolean => {
    const known = catalog.operation(operation);
    return known !== undefined && allows(closureOf(permission), known);
  };
  // What names no permission on the Connect side is about the side as a whole.
  let open = findings.filter(
    (finding) => finding.evidence !== 'record' && !(finding.connect && finding.permission === null),
  );
  const take = (permission: PermissionName) => {
    for (const finding of open.filter((one) => covers(permission, one))) explained.set(finding, permission);
    open = open.filter((one) => !explained.has(one));
  };
  // A write that the record lists brings the read of its name along; what it explains is not said again.
  const recorded = findings.filter(({ evidence }) => evidence === 'record');
  for (const finding of recorded) {
    if (finding.permission === null) continue;
    explained.set(finding, finding.permission);
    take(finding.permission);
  }
  const isPossible = (permission: PermissionName) =>
    !effective.has(permission) &&
    open.some((one) => covers(permission, one)) &&
    !refused.some((probe) => covers(permission, probe));
  let candidates = open.length === 0 ? [] : catalog.permissions.map(({ name }) => name).filter(isPossible);
  while (open.length > 0) {
    const named = new Set(open.map(({ permission }) => permission));
    candidates = candidates.filter((permission) => open.some((one) => covers(permission, one)));
    const [best] = [...candidates].sort(
      (a, b) =>
        open.filter((one) => covers(b, one)).length - open.filter((one) => covers(a, one)).length ||
        // Of several that would do, the one that the catalog says to ask for.
        Number(named.has(b)) - Number(named.has(a)) ||
        closureOf(a).size - closureOf(b).size ||
        // What cannot be told apart is taken for the worse.
        RISK_TIERS.indexOf(riskOf(a).tier) - RISK_TIERS.indexOf(riskOf(b).tier) ||
        byText(a, b),
    );
    if (best === undefined) break;
    take(best);
  }
  // Answers that contradict each other leave what the catalog says of the call itself.
  for (const finding of open) if (finding.permission !== null) explained.set(finding, finding.permission);
  return explained;
}

/** The permissions of the grant whose absence explains what a key could not do and should, each finding put down to one. */
export function explainRefused(
  findings: readonly Finding[],
  permissions: readonly PermissionName[],
  catalog: Catalog,
): ReadonlyMap<Finding, PermissionName> {
  const explained = new Map<Finding, PermissionName>();
  for (const finding of findings) {
    const operation = catalog.operation(finding.operation);
    const lacking =
      finding.evidence === 'record' || !operation?.permissions.includes(finding.permission ?? '')
        ? finding.permission
        : permissions.find((name) => operation !== undefined && allows(catalog.closure([name]), operation));
    if (lacking !== undefined && lacking !== null) explained.set(finding, lacking);
  }
  return explained;
}
