import { Needs } from './classes';
import type { Pool } from './pool';

/** Attempts to seat one group before it is left to the split into teams to tell. */
const ATTEMPTS = 2000;

/**
 * Whether the tickets of a growing group can sit in teams at all: parties whole, and in each team no more players confined to any
 * set of roles than it has seats (Hall's condition, roles.ts). For each depth of the group one way to seat it is kept; who comes
 * next most often just finds a seat there, and only where it does not, everybody is seated anew. A group that could never be
 * split is so given up at the first ticket too many.
 */
export class Seating {
  /** Nothing to ask where there is one team without roles. */
  private readonly matters: boolean;
  private readonly teams: number;
  private readonly sets: number;
  /** What a team holds at most: in each set of roles, and in all. */
  private readonly limits: Int32Array;
  private readonly width: number;
  /** By depth and team: players confined to each set of roles, and players. */
  private readonly loads: Int32Array;
  /** Who is being seated anew, the biggest party first. */
  private readonly order: Int32Array;
  private seeking = 0;
  private attempts = 0;

  constructor(private readonly pool: Pool) {
    const { roles, teamCount, teamMax, most } = pool.rules;
    this.matters = teamCount > 1 || roles !== null;
    this.teams = teamCount;
    this.limits = Int32Array.from([...(roles?.capacity ?? []), teamMax]);
    this.sets = this.limits.length - 1;
    this.width = this.limits.length;
    this.loads = new Int32Array((most + 2) * this.teams * this.width);
    this.order = new Int32Array(most + 2);
  }

  /** Whether the last of the first `depth` members can sit with the others, for whom `join` was true. */
  join(members: readonly number[], depth: number): boolean {
    if (!this.matters) return true;
    const slot = members[depth - 1] as number;
    const row = this.teams * this.width;
    const to = depth * row;
    for (let i = to; i < to + row; i++) this.loads[i] = depth === 1 ? 0 : (this.loads[i - row] as number);
    if (!this.isLobby(slot)) {
      if (!this.fitsAltogether(slot, to)) return false;
      const team = this.emptiest(slot, to);
      if (team >= 0) {
        this.seat(slot, to + team * this.width, 1);
        return true;
      }
      if (depth === 1) return false;
    }
    return this.seatAnew(members, depth, to);
  }

  private isLobby(slot: number): boolean {
    return ((this.pool.classes.needs[this.pool.slots.cls[slot] as number] as number) & Needs.lobby) !== 0;
  }

  /** Whether all teams together have room: most of those who do not fit are told so here. */
  private fitsAltogether(slot: number, from: number): boolean {
    const { width, teams, loads, limits } = this;
    const own = this.pool.classes.loads;
    const added = this.loadAt(slot);
    for (let set = 0; set < width; set++) {
      let load = own[added + set] as number;
      if (load === 0) continue;
      for (let team = 0, at = from + set; team < teams; team++, at += width) load += loads[at] as number;
      if (load > (limits[set] as number) * teams) return false;
    }
    return true;
  }

  /** Where the loads of the ticket's class stand. */
  private loadAt(slot: number): number {
    return (this.pool.slots.cls[slot] as number) * this.width;
  }

  /** Of the teams with room for it the one that holds fewest; -1 where none has. */
  private emptiest(slot: number, from: number): number {
    let best = -1;
    for (let team = 0; team < this.teams; team++) {
      const at = from + team * this.width;
      if (
        best >= 0 &&
        (this.loads[at + this.sets] as number) >= (this.loads[from + best * this.width + this.sets] as number)
      )
        continue;
      if (this.hasRoom(slot, at)) best = team;
    }
    return best;
  }

  private hasRoom(slot: number, at: number): boolean {
    const { loads, limits } = this;
    const own = this.pool.classes.loads;
    const added = this.loadAt(slot);
    for (let set = this.sets; set >= 0; set--) {
      const load = own[added + set] as number;
      if (load > 0 && (loads[at + set] as number) + load > (limits[set] as number)) return false;
    }
    return true;
  }

  private seat(slot: number, at: number, sign: 1 | -1): void {
    const { loads, width } = this;
    const own = this.pool.classes.loads;
    const added = this.loadAt(slot);
    for (let set = 0; set < width; set++)
      loads[at + set] = (loads[at + set] as number) + sign * (own[added + set] as number);
  }

  private seatAnew(members: readonly number[], depth: number, from: number): boolean {
    const { order, pool } = this;
    const { size, lobbies } = pool.slots;
    this.loads.fill(0, from, from + this.teams * this.width);
    this.seeking = 0;
    for (let i = 0; i < depth; i++) {
      const slot = members[i] as number;
      const lobby = this.isLobby(slot) ? lobbies.get(slot) : undefined;
      if (!lobby) {
        let at = this.seeking++;
        for (; at > 0 && (size[order[at - 1] as number] as number) < (size[slot] as number); at--)
          order[at] = order[at - 1] as number;
        order[at] = slot;
      } else
        for (let team = 0; team < this.teams; team++) {
          const at = from + team * this.width;
          this.loads[at + this.sets] = lobby.sizes[team] ?? 0;
          for (let set = 0; set < this.sets; set++) this.loads[at + set] = lobby.confined[team]?.[set] ?? 0;
        }
    }
    this.attempts = ATTEMPTS;
    return this.place(0, from);
  }

  /** One after the other, into each team with room. True also where there is too much to try. */
  private place(next: number, from: number): boolean {
    if (next === this.seeking || this.attempts-- <= 0) return true;
    const slot = this.order[next] as number;
    let triedEmpty = false;
    for (let team = 0; team < this.teams; team++) {
      const at = from + team * this.width;
      // teams that are empty are alike
      if (this.loads[at + this.sets] === 0) {
        if (triedEmpty) continue;
        triedEmpty = true;
      }
      if (!this.hasRoom(slot, at)) continue;
      this.seat(slot, at, 1);
      if (this.place(next + 1, from)) return true;
      this.seat(slot, at, -1);
    }
    return false;
  }
}
