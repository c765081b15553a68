import {
  type Catalog,
  type Operation,
  type OperationName,
  type PermissionName,
  PROVENANCES,
  type Provenance,
} from '../catalog/catalog.ts';
import type { Probe } from '../probe/probe.ts';
import { evidenceRank } from '../probe/probe-plan.ts';
import { holds, type Verdict } from '../verdict/verdict.ts';

/** One answer about a key: what was asked, and what the answer says. */
export interface Shown {
  readonly operation: Operation;
  readonly verdict: Pick<Verdict, 'kind' | 'evidence'>;
}

/**
 * Why a permission is undetermined. `no-operation`: nothing in the catalog needs it. `not-asked`: no
 * operation that needs it was asked. `inconclusive`: those asked gave no answer that tells.
 * `covered`: what it allows is allowed by another permission as well. `contradiction`: the answers
 * cannot all be true by the catalog.
 */
export type UndeterminedReason = 'no-operation' | 'not-asked' | 'inconclusive' | 'covered' | 'contradiction';

/** What the answers say of one permission. */
export interface InferredPermission {
  readonly permission: PermissionName;
  readonly state: 'held' | 'absent' | 'undetermined';
  /** `record`: no answer told, and Stripe's record of the key does. */
  readonly evidence: 'strong' | 'weak' | 'record';
  /** Of the best row of the catalog that showed it. */
  readonly provenance: Provenance;
  /** The operations that showed it. */
  readonly operations: readonly OperationName[];
  /** It was not seen itself: Stripe is known to give it with this permission, or it would bring this one. */
  readonly by?: PermissionName;
  /** Of `undetermined`. */
  readonly reason?: UndeterminedReason;
}

/** An answer that cannot be true by the catalog: a row is wrong, or the key is no restricted key. */
export interface Contradiction {
  readonly operation: OperationName;
  readonly observed: Verdict['kind'];
  readonly message: string;
}

export interface Inference {
  /** Every permission of the catalog, in its order. */
  readonly permissions: readonly InferredPermission[];
  readonly contradictions: readonly Contradiction[];
}

/**
 * What permissions the key behind these answers holds. A refusal shows that every permission which
 * would do is absent; an acceptance, that one of them is held: which, when all others are known to be
 * absent. Answers count before implications, which only fill in what no answer showed.
 */
export function inferPermissions(catalog: Catalog, shown: readonly Shown[]): Inference {
  return new Reasoning(catalog, shown).conclude();
}

interface Fact {
  readonly state: 'held' | 'absent';
  readonly evidence: 'strong' | 'weak';
  readonly provenance: Provenance;
  readonly operations: readonly OperationName[];
  readonly by?: PermissionName;
}

class Reasoning {
  readonly #catalog: Catalog;
  readonly #shown: readonly Shown[];
  readonly #facts = new Map<PermissionName, Fact>();
  readonly #disputed = new Set<PermissionName>();
  readonly #contradictions = new Map<OperationName, Contradiction>();

  constructor(catalog: Catalog, shown: readonly Shown[]) {
    this.#catalog = catalog;
    this.#shown = [...shown].sort((a, b) => weight(a) - weight(b));
  }

  conclude(): Inference {
    this.#readRefusals();
    for (let size = -1; size !== this.#facts.size; ) {
      size = this.#facts.size;
      this.#readAcceptances();
      if (this.#facts.size === size) this.#followImplications();
    }
    return {
      permissions: this.#catalog.permissions.map(({ name }) => this.#say(name)),
      contradictions: [...this.#contradictions.values()],
    };
  }

  #readRefusals(): void {
    const allowed = this.#shown.filter(
      ({ operation, verdict }) => holds(verdict.kind) && operation.permissions.length === 1,
    );
    for (const one of this.#shown.filter(({ verdict }) => verdict.kind === 'forbidden')) {
      for (const permission of one.operation.permissions) {
        const against = allowed.find(({ operation }) => operation.permissions[0] === permission);
        if (against === undefined || weight(one) < weight(against)) this.#learn(permission, 'absent', one);
        else if (weight(one) === weight(against)) this.#disputed.add(permission);
        if (against !== undefined && weight(one) >= weight(against)) this.#contradict(one);
      }
    }
    for (const permission of this.#disputed) this.#facts.delete(permission);
  }

  #readAcceptances(): void {
    for (const one of this.#shown.filter(({ verdict }) => holds(verdict.kind))) {
      const possible = this.#notExcluded(one.operation.permissions);
      const [first] = possible;
      if (first === undefined) this.#contradict(one);
      else if (possible.length === 1) this.#learn(first, 'held', one, this.#absentBeside(one, first));
      else this.#learnShared(possible, one);
    }
  }

  /** Those that no answer excludes; of these those that no implication excludes, if any is left. */
  #notExcluded(permissions: readonly PermissionName[]): readonly PermissionName[] {
    const left = permissions.filter((name) => {
      const fact = this.#facts.get(name);
      return fact?.state !== 'absent' || fact.by !== undefined;
    });
    const plausible = left.filter((name) => this.#facts.get(name)?.state !== 'absent');
    return plausible.length > 0 ? plausible : left;
  }

  /** Whichever of these is held, what all of them bring along is. */
  #learnShared(possible: readonly PermissionName[], one: Shown): void {
    const reaches = possible.map((name) => this.#catalog.closure([name]));
    const known = possible.some((name) => this.#facts.get(name)?.state === 'held');
    const [first] = reaches;
    if (known || first === undefined) return;
    for (const name of first) {
      if (reaches.every((reach) => reach.has(name))) this.#learn(name, 'held', one);
    }
  }

  /** The facts on which the exclusion of all permissions but one rests. */
  #absentBeside({ operation }: Shown, one: PermissionName): readonly Fact[] {
    return operation.permissions.flatMap((name) => (name === one ? [] : (this.#facts.get(name) ?? [])));
  }

  #followImplications(): void {
    for (const { name } of this.#catalog.permissions) {
      for (const brought of this.#catalog.closure([name])) {
        if (brought === name) continue;
        const from = this.#facts.get(name);
        const to = this.#facts.get(brought);
        if (from?.state === 'held') this.#imply(brought, { ...from, by: from.by ?? name });
        if (to?.state === 'absent') this.#imply(name, { ...to, by: to.by ?? brought });
      }
    }
  }

  #imply(permission: PermissionName, fact: Fact): void {
    if (!this.#facts.has(permission) && !this.#disputed.has(permission)) this.#facts.set(permission, fact);
  }

  #learn(
    permission: PermissionName,
    state: Fact['state'],
    { operation, verdict }: Shown,
    restsOn: readonly Fact[] = [],
  ): void {
    if (this.#disputed.has(permission)) return;
    const known = this.#facts.get(permission);
    if (known !== undefined && known.by === undefined) {
      if (known.state === state && !known.operations.includes(operation.name)) {
        this.#facts.set(permission, { ...known, operations: [...known.operations, operation.name] });
      }
      return;
    }
    const weak = [verdict, ...restsOn].some(({ evidence }) => evidence === 'weak');
    const provenance = [operation, ...restsOn]
      .map((one) => one.provenance)
      .reduce((worst, one) => (PROVENANCES.indexOf(one) > PROVENANCES.indexOf(worst) ? one : worst));
    this.#facts.set(permission, {
      state,
      evidence: weak ? 'weak' : 'strong',
      provenance,
      operations: [operation.name],
    });
  }

  #contradict({ operation, verdict }: Shown): void {
    const names = operation.permissions.join(' or ');
    const message =
      operation.permissions.length === 0
        ? 'It was allowed, and the catalog knows no permission that allows it to a restricted key.'
        : holds(verdict.kind)
          ? `It was allowed, and other answers show that the key lacks ${names}.`
          : `It was forbidden, and other answers show that the key holds ${names}.`;
    this.#contradictions.set(operation.name, {
      operation: operation.name,
      observed: verdict.kind,
      message,
    });
  }

  #say(permission: PermissionName): InferredPermission {
    const fact = this.#facts.get(permission);
    if (fact !== undefined) return { permission, ...fact };
    const reason = this.#whyUndetermined(permission);
    return {
      permission,
      state: 'undetermined',
      evidence: 'weak',
      provenance: 'unknown',
      operations: [],
      reason,
    };
  }

  #whyUndetermined(permission: PermissionName): UndeterminedReason {
    if (this.#disputed.has(permission)) return 'contradiction';
    if (this.#catalog.operationsOf(permission).length === 0) return 'no-operation';
    const asked = this.#shown.filter(({ operation }) => operation.permissions.includes(permission));
    if (asked.length === 0) return 'not-asked';
    return asked.some(({ verdict }) => holds(verdict.kind)) ? 'covered' : 'inconclusive';
  }
}

/** How little an answer is worth against another: strong before weak, then by provenance. */
function weight({ operation, verdict }: Shown): number {
  return (verdict.evidence === 'strong' ? 0 : 100) + PROVENANCES.indexOf(operation.provenance);
}

/**
 * The fewest operations, of those that can be answered, that tell of every permission which can be told: for each the one with the
 * best evidence among those that need it alone, else among those that need the fewest others besides.
 * At most one for each permission.
 */
export function planInspection(
  catalog: Catalog,
  probeFor: (operation: Operation) => Probe,
  canAnswer: (operation: Operation) => boolean = () => true,
): readonly Operation[] {
  const chosen = new Set<Operation>();
  const rank = (operation: Operation) =>
    operation.permissions.length * 10_000 + evidenceRank(probeFor(operation));
  const telling = catalog.permissions
    .map(({ name }) =>
      catalog
        .operationsOf(name)
        .filter((operation) => canAnswer(operation) && probeFor(operation).unsafe !== true)
        .sort((a, b) => rank(a) - rank(b)),
    )
    .filter((operations) => operations.length > 0);
  for (const [best] of telling) if (best?.permissions.length === 1) chosen.add(best);
  for (const [best, ...others] of telling) {
    if (best === undefined || best.permissions.length === 1) continue;
    if (![best, ...others].some((operation) => chosen.has(operation))) chosen.add(best);
  }
  return catalog.operations.filter((operation) => chosen.has(operation));
}
