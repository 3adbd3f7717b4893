import { Types } from 'mongoose';
import type { Ticket } from '../../src/modules/matchmaking/engine';
import type { TicketRow } from '../../src/modules/matchmaking/matchmaking.models';
import { poolKey } from '../../src/modules/matchmaking/matchmaking.policy';
import { NOW } from '../engine-workloads';

/** A queued ticket of the engine's workloads as a row of the database. */
export function rowOf(ticket: Ticket, gameId: string, mode: string): TicketRow {
  const oid = (id: string) => new Types.ObjectId(id);
  const since = new Date(ticket.waitingSince);
  const [player] = ticket.players;
  if (!player) throw new Error('a ticket has players');
  const skills = [{ mu: player.mu, sigma: player.sigma }];
  return {
    _id: oid(ticket.id),
    submittedBy: oid(player.userId),
    players: [oid(player.userId)],
    lobbyId: null,
    lobbyVersion: null,
    games: [{ gameId: oid(gameId), mode, weight: 5, skills }],
    pools: [poolKey(gameId, mode)],
    groupSize: ticket.groupSize,
    regions: [...ticket.regions],
    regionPreference: ticket.regionPreference,
    languages: [...ticket.languages],
    languagePreference: ticket.languagePreference,
    skillPreference: ticket.skillPreference,
    roles: [],
    latencies: {},
    state: 'queued',
    open: true,
    revision: 1,
    queuedAt: since,
    scheduledFor: null,
    expiresAt: new Date(NOW + 3_600_000),
    matchId: null,
    reason: null,
    createdAt: since,
    updatedAt: since,
    endedAt: null,
  };
}
