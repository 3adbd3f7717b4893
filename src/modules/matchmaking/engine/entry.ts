import { confined, offerOf } from './roles';
import type { Rules } from './rules';
import { Flag, lotOf, markOf, type Lobby, type Slots } from './slots';
import type { Ticket } from './ticket';

/** Writes a ticket into a slot that was just taken: numbers into the arrays, and what only few have into side tables. */
export function enter(slots: Slots, slot: number, ticket: Ticket, rules: Rules, seed: number): void {
  const { players } = ticket;
  slots.ids[slot] = ticket.id;
  slots.users[slot] = players.length === 1 && players[0] ? players[0].userId : players.map((p) => p.userId);
  slots.size[slot] = players.length;
  slots.since[slot] = ticket.waitingSince;
  slots.tie[slot] = lotOf(ticket.id, seed);
  slots.weight[slot] = ticket.weight;
  slots.deficit[slot] = Math.max(0, ticket.favourite - ticket.weight);
  let mu = 0;
  let variance = 0;
  let marks = 0;
  for (const player of players) {
    mu += player.mu;
    variance += player.sigma * player.sigma;
    marks |= markOf(player.userId);
  }
  slots.rating[slot] = mu / players.length;
  slots.variance[slot] = variance;
  slots.marks[slot] = marks;
  slots.flags[slot] = Flag.live | enterCompany(slots, slot, ticket) | enterExtras(slots, slot, ticket, rules);
  if (ticket.skillPreference === 'any') slots.flags[slot] = slots.flags[slot] | Flag.anySkill;
}

/** @returns its flags, and likewise below */
function enterCompany(slots: Slots, slot: number, { blocked, avoided }: Ticket): number {
  let shuns = 0;
  for (const userId of blocked) shuns |= markOf(userId);
  for (const userId of avoided) shuns |= markOf(userId);
  slots.shuns[slot] = shuns;
  if (shuns === 0) return 0;
  slots.social.set(slot, { blocked, avoided });
  return avoided.size > 0 ? Flag.social | Flag.avoids : Flag.social;
}

function enterExtras(slots: Slots, slot: number, ticket: Ticket, rules: Rules): number {
  const { players, latencies, backfill } = ticket;
  const { roles } = rules;
  let flags = 0;
  for (const _ in latencies) {
    slots.latencies.set(slot, latencies);
    flags = Flag.extras;
    break;
  }
  if (roles && players.length > 1) {
    const offers = players.map((player) => offerOf(roles, player.roles));
    slots.offers.set(slot, offers);
    flags = Flag.extras;
  }
  if (backfill) {
    slots.lobbies.set(slot, lobbyOf(ticket, backfill, rules));
    flags = Flag.extras;
  }
  return flags;
}

function lobbyOf(ticket: Ticket, teams: readonly number[], { teamCount, roles }: Rules): Lobby {
  const seated = Array.from({ length: teamCount }, (_, team) =>
    ticket.players.filter((_, i) => (teams[i] ?? 0) === team),
  );
  return {
    teams,
    sizes: seated.map((players) => players.length),
    sums: seated.map((players) => players.reduce((sum, { mu }) => sum + mu, 0)),
    confined: roles
      ? seated.map((players) =>
          confined(
            roles,
            players.map((p) => offerOf(roles, p.roles)),
          ),
        )
      : [],
  };
}
