import type { BeyondSdk } from '../catalog/beyond-sdk.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { RISK_TIERS, riskOf } from '../catalog/risk.ts';
import type { ConnectState } from '../verdict/connect-state.ts';
import type { Unseen, UnseenReason } from '../verdict/unseen.ts';
import type { Inference, InferredPermission } from './infer-permissions.ts';

/** The permissions that an inspection could not show, on both sides, the gravest tier first. */
export function unseenByInspection(
  { permissions }: Inference,
  connect: ConnectState,
  { catalog, beyondSdk }: { readonly catalog: Catalog; readonly beyondSdk: BeyondSdk },
): readonly Unseen[] {
  const own = permissions
    .filter(({ state }) => state === 'undetermined')
    .map((one) => unseen(one.permission, false, reasonOf(one, beyondSdk)));
  const onConnectSide =
    connect === 'none'
      ? []
      : catalog.permissions.map(({ name }) =>
          unseen(name, true, connect === 'no-platform' ? 'no-platform' : 'no-account'),
        );
  return [...own, ...onConnectSide].sort(
    (a, b) =>
      RISK_TIERS.indexOf(a.tier) - RISK_TIERS.indexOf(b.tier) || Number(a.connect) - Number(b.connect),
  );
}

function reasonOf({ permission, reason }: InferredPermission, beyondSdk: BeyondSdk): UnseenReason {
  switch (reason) {
    case 'no-operation': {
      const calls = beyondSdk.operationsOf(permission);
      if (calls.length === 0) return 'no-call';
      return calls.every(({ access }) => access === 'unsafe') ? 'unsafe' : 'not-open';
    }
    case 'covered':
      return 'covered';
    case 'not-asked':
      return 'not-asked';
    default:
      return 'unanswered';
  }
}

function unseen(permission: string, connect: boolean, reason: UnseenReason): Unseen {
  return { permission, connect, tier: riskOf(permission).tier, reason, operations: [] };
}
