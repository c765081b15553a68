import type {
  CountedExposure,
  Exposure,
  LedgerState,
  Reserved,
  Settled,
  Share,
} from './ledger/exposure-taken.ts';

interface Reservation {
  readonly id: string;
  group: Group;
  readonly counters: readonly string[];
  /** The most that the call can have moved, or has moved once it is settled. */
  total: number;
  settled: boolean;
  /** When it was reserved and when it was settled, by the order of these. */
  readonly reservedAt: number;
  settledAt: number;
  /** It made the object, so that all others on it came later. */
  isFirst?: boolean;
}

/** What counts together: the calls on one object of which the largest total counts, or one call by itself. */
interface Group {
  /** Undefined for one call by itself. */
  object: string | undefined;
  readonly members: Reservation[];
  readonly shares: Share[];
}

/** How a state names what counts for one object. */
const OF_OBJECT = 'object ';

/**
 * The arithmetic of caps. At every moment counted is at least what Stripe can have moved, and once everything is
 * settled it is what moved. A reservation is open until it is settled (the answer told) or released (it is certain that
 * nothing moved); one whose outcome is unknown is simply left open. Both happen once: a second time changes nothing.
 */
export class Ledger {
  readonly #used = new Map<string, number>();
  readonly #reservations = new Map<string, Reservation>();
  /** Those of objects, by the object. */
  readonly #objects = new Map<string, Group>();

  #moment = 1;

  /** @param state as `state` gave it */
  constructor(state: LedgerState = { used: [], groups: [] }) {
    this.#moment = state.moment ?? 1;
    for (const [counter, used] of state.used) this.#used.set(counter, used);
    for (const { name, members, shares } of state.groups) {
      const object = name.startsWith(OF_OBJECT) ? name.slice(OF_OBJECT.length) : undefined;
      const group: Group = { object, members: [], shares: shares.map((share) => ({ ...share })) };
      for (const [id, counters, total, settled, reservedAt = 0, settledAt = 0] of members) {
        const reservation = { id, group, counters, total, settled, reservedAt, settledAt };
        this.#moment = Math.max(this.#moment, reservedAt + 1, settledAt + 1);
        group.members.push(reservation);
        this.#reservations.set(id, reservation);
      }
      if (object !== undefined) this.#objects.set(object, group);
    }
  }

  state(): LedgerState {
    const all = new Set([...this.#reservations.values()].map(({ group }) => group));
    const groups = [...all].map(({ object, members, shares }) => ({
      name: object === undefined ? `call ${members[0]?.id}` : `${OF_OBJECT}${object}`,
      members: members.map(
        ({ id, counters, total, settled, reservedAt, settledAt }) =>
          [id, counters, total, settled, reservedAt, settledAt] as const,
      ),
      shares,
    }));
    return { used: [...this.#used], groups, moment: this.#moment };
  }

  /** How much the counter has come to. */
  used(counter: string): number {
    return this.#used.get(counter) ?? 0;
  }

  /** Every counter that anything is counted on. */
  counters(): ReadonlyMap<string, number> {
    return this.#used;
  }

  /**
   * Takes the exposure from all counters, or from none.
   * @throws on an amount or cap that is no whole number of minor units, and on an id that was used before
   */
  reserve({ id, amount, totalOf, takes }: Exposure): Reserved {
    assertMinor(amount);
    for (const { cap } of takes) assertMinor(cap);
    const group = totalOf === undefined ? undefined : this.#objects.get(totalOf);
    const asked = group === undefined ? amount : Math.max(0, amount - counted(group));
    const short = takes.find(({ counter, cap }) => asked > 0 && this.used(counter) + asked > cap);
    if (short !== undefined) {
      const { counter, cap } = short;
      return { reserved: false, counter, left: Math.max(0, cap - this.used(counter)), asked };
    }
    this.count({ id, amount, totalOf, counters: takes.map(({ counter }) => counter) });
    return { reserved: true };
  }

  /**
   * Takes an exposure whatever the caps are: they were asked before.
   * @throws RangeError on an amount that is no whole number of minor units, and on an id that was used before
   */
  count({ id, amount, totalOf, counters: named }: CountedExposure): void {
    assertMinor(amount);
    if (this.#reservations.has(id)) throw new RangeError(`the reservation ${id} exists`);
    let group = totalOf === undefined ? undefined : this.#objects.get(totalOf);
    if (group === undefined) {
      group = { object: totalOf, members: [], shares: [] };
      if (totalOf !== undefined) this.#objects.set(totalOf, group);
    }
    const counters = named.filter((counter, at) => named.indexOf(counter) === at);
    const reservedAt = this.#moment++;
    const reservation = { id, group, counters, total: amount, settled: false, reservedAt, settledAt: 0 };
    const asked = Math.max(0, amount - counted(group));
    this.#reservations.set(id, reservation);
    group.members.push(reservation);
    this.#take(group, asked, counters);
  }

  /**
   * The call went through and moved so much (of a total: the object's total is now so much).
   * @param isWhole the answer told all that the object has come to, so that the totals of calls which were settled
   *   before this one was made count no further
   * @param isNow with `isWhole`: it told what the object has come to by now, so that no settled total counts further
   */
  settle(
    id: string,
    moved: number,
    { isWhole = false, isNow = false }: { readonly isWhole?: boolean; readonly isNow?: boolean } = {},
  ): Settled {
    assertMinor(moved);
    const reservation = this.#reservations.get(id);
    if (reservation === undefined || reservation.settled) return { overrun: 0 };
    const { group } = reservation;
    const overrun = Math.max(0, moved - reservation.total);
    reservation.settled = true;
    reservation.settledAt = reservation.isFirst === true ? 0 : this.#moment++;
    // What is counted is the largest total already.
    if (moved === reservation.total && !isWhole) return { overrun };
    reservation.total = moved;
    if (isWhole) {
      for (const member of group.members) {
        if (member.settled && (isNow || member.settledAt < reservation.reservedAt))
          member.total = Math.min(member.total, moved);
      }
    }
    this.#level(group, reservation.counters);
    return { overrun };
  }

  /** From now on the call counts among the totals of this object, which only its answer has named. */
  nameTotal(id: string, totalOf: string): void {
    const reservation = this.#reservations.get(id);
    if (reservation === undefined || reservation.group.object === totalOf) return;
    const { group } = reservation;
    reservation.isFirst = true;
    const known = this.#objects.get(totalOf);
    if (group.object !== undefined) this.#objects.delete(group.object);
    if (known === undefined) {
      group.object = totalOf;
      this.#objects.set(totalOf, group);
      return;
    }
    for (const member of group.members) {
      member.group = known;
      known.members.push(member);
    }
    known.shares.push(...group.shares);
    this.#level(known, reservation.counters);
  }

  /** Whether calls on the same object were settled since this one was reserved. */
  isOvertaken(id: string): boolean {
    const reservation = this.#reservations.get(id);
    if (reservation === undefined) return false;
    return reservation.group.members.some((one) => one.settled && one.settledAt > reservation.reservedAt);
  }

  /** A number that is another one once a call on the object was settled. */
  momentOf(totalOf: string): number {
    const members = this.#objects.get(totalOf)?.members ?? [];
    return members.reduce((latest, { settledAt }) => Math.max(latest, settledAt), 0);
  }

  /** The largest total that settled calls on an object have told; undefined where none has. */
  settledTotal(totalOf: string): number | undefined {
    const settled = this.#objects.get(totalOf)?.members.filter((one) => one.settled) ?? [];
    return settled.length === 0 ? undefined : Math.max(...settled.map(({ total }) => total));
  }

  /** Whether all calls that count together with this one are settled; so is one that is not known any more. */
  isSettled(id: string): boolean {
    const reservation = this.#reservations.get(id);
    if (reservation === undefined) return true;
    return reservation.group.members.every(({ settled }) => settled);
  }

  /**
   * Forgets a settled call, and all that counts together with it. What it moved stays counted.
   * @returns what is still counted for it, share by share
   */
  forget(id: string): readonly Share[] {
    const reservation = this.#reservations.get(id);
    if (reservation === undefined || !this.isSettled(id)) return [];
    const { group } = reservation;
    if (group.object !== undefined) this.#objects.delete(group.object);
    for (const member of group.members) this.#reservations.delete(member.id);
    return group.shares.filter(({ amount }) => amount > 0);
  }

  /** A rolling window has passed over so much: the counter has come to that much less. */
  pass(counter: string, amount: number): void {
    assertMinor(amount);
    const rest = this.used(counter) - amount;
    if (rest < 0) throw new RangeError(`${counter} would come to less than nothing`);
    if (rest === 0) this.#used.delete(counter);
    else this.#used.set(counter, rest);
  }

  /** A rolling window has passed over all that is counted together with this settled call. */
  passOver(id: string, counter: string): void {
    const reservation = this.#reservations.get(id);
    if (reservation === undefined) return;
    for (const share of reservation.group.shares) {
      if (!share.counters.includes(counter)) continue;
      share.counters = share.counters.filter((one) => one !== counter);
      this.pass(counter, share.amount);
    }
  }

  /** It is certain that the call moved nothing. */
  release(id: string): void {
    const reservation = this.#reservations.get(id);
    if (reservation === undefined || reservation.settled) return;
    const { group } = reservation;
    this.#reservations.delete(id);
    group.members.splice(group.members.indexOf(reservation), 1);
    this.#level(group, reservation.counters);
    if (group.members.length === 0 && group.object !== undefined) this.#objects.delete(group.object);
  }

  /** Brings what is counted for a group to the largest total that one of its calls can have moved. */
  #level(group: Group, counters: readonly string[]): void {
    const most = group.members.reduce((largest, { total }) => Math.max(largest, total), 0);
    const excess = counted(group) - most;
    if (excess < 0) this.#take(group, -excess, counters);
    else this.#giveBack(group, excess);
  }

  #take(group: Group, amount: number, counters: readonly string[]): void {
    if (amount === 0) return;
    group.shares.push({ amount, counters });
    this.#add(counters, amount);
  }

  /** Newest first, each share to the counters that it was taken from. */
  #giveBack(group: Group, amount: number): void {
    let rest = amount;
    while (rest > 0) {
      const share = group.shares.at(-1);
      if (share === undefined) throw new RangeError('more is given back than was taken');
      const part = Math.min(rest, share.amount);
      share.amount -= part;
      rest -= part;
      this.#add(share.counters, -part);
      if (share.amount === 0) group.shares.pop();
    }
  }

  #add(counters: readonly string[], amount: number): void {
    for (const counter of counters) {
      const sum = this.used(counter) + amount;
      if (sum === 0) this.#used.delete(counter);
      else this.#used.set(counter, sum);
    }
  }
}

function counted({ shares }: Group): number {
  return shares.reduce((sum, { amount }) => sum + amount, 0);
}

function assertMinor(amount: number): void {
  if (!Number.isSafeInteger(amount) || amount < 0)
    throw new RangeError(`${amount} is no whole number of minor units`);
}
