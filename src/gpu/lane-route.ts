/** Which lane a call waits at. A group stays where its prefixes are cached for as long as that lane is sound; its first call goes where the least is open per slot. Knows no order of calls. */
import { EngineFault } from '../errors.ts';
import type { Asked, Call } from './call.ts';
import type { CallGroups } from './call-groups.ts';
import type { Lane } from './lane.ts';

export class Route {
  readonly #lanes: readonly Lane[];
  readonly #groups: CallGroups;

  constructor(lanes: readonly Lane[], groups: CallGroups) {
    this.#lanes = lanes;
    this.#groups = groups;
  }

  /** Why no lane can answer, now or later; undefined where one can. */
  complaint(asked: Asked): EngineFault | undefined {
    let first: EngineFault | undefined;
    for (const lane of this.#lanes) {
      const complaint = lane.complaint(asked);
      if (complaint === undefined) return undefined;
      first ??= complaint;
    }
    return first;
  }

  /** The lane's index, or why there is none. */
  of(call: Call): number | EngineFault {
    const group = this.#groups.of(call.group);
    const pinned = group.lane === undefined ? undefined : this.#lanes[group.lane];
    if (pinned !== undefined && pinned.isSound && pinned.complaint(call.asked) === undefined) return group.lane as number;
    const able = this.#lanes.filter((lane) => lane.complaint(call.asked) === undefined);
    if (able.length === 0) return this.complaint(call.asked) as EngineFault;
    const sound = able.filter((lane) => lane.isSound);
    // Where all circuits are open it waits where it belongs, and goes to the first lane that comes back.
    if (sound.length === 0 && pinned !== undefined && able.includes(pinned)) return group.lane as number;
    group.lane = this.#lanes.indexOf(this.#idlest(sound.length > 0 ? sound : able));
    return group.lane;
  }

  /** The waiting calls that should wait elsewhere now that `lane`'s mode has changed; they are at no lane any more. */
  moves(lane: Lane): Call[] {
    if (!this.#lanes.some((each) => each.isSound)) return [];
    return this.#lanes
      .filter((each) => !each.isSound && (each === lane || lane.isSound) && each.waiting > 0)
      .flatMap((each) => each.withdrawAll());
  }

  #idlest(lanes: readonly Lane[]): Lane {
    let best = lanes[0] as Lane;
    if (lanes.length === 1) return best;
    const groups = this.#groups.atLanes(this.#lanes.length);
    const homes = (lane: Lane): number => (groups[this.#lanes.indexOf(lane)] as number) / lane.admission.limit;
    for (const lane of lanes) if (lane.load < best.load || (lane.load === best.load && homes(lane) < homes(best))) best = lane;
    return best;
  }
}
