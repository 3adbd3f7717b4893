const ensureCollection = require('./shared/ensure-collection');
const takeBackCollection = require('./shared/take-back-collection');

/** Tickets, matches and ratings. */
module.exports = {
  async up(db) {
    const open = { partialFilterExpression: { open: true } };
    await ensureCollection(db, 'tickets');
    await db.collection('tickets').createIndexes([
      { key: { players: 1 }, name: 'one_open_per_player', unique: true, ...open },
      { key: { state: 1, pools: 1 }, name: 'state_pools' },
      { key: { updatedAt: 1, _id: 1 }, name: 'open_changes', ...open },
      { key: { expiresAt: 1 }, name: 'open_expiry', ...open },
      { key: { lobbyId: 1 }, name: 'open_lobby', ...open },
      { key: { scheduledFor: 1 }, name: 'scheduled_due', partialFilterExpression: { state: 'scheduled' } },
      { key: { endedAt: 1 }, name: 'ended_ttl', expireAfterSeconds: 7 * 86_400 },
    ]);
    const live = { partialFilterExpression: { live: true } };
    await ensureCollection(db, 'matches');
    await db.collection('matches').createIndexes([
      { key: { livePlayers: 1 }, name: 'one_live_per_player', unique: true, ...live },
      { key: { players: 1, formedAt: -1, _id: -1 }, name: 'player_history' },
      { key: { formedAt: 1, _id: 1 }, name: 'live_age', ...live },
      { key: { formedAt: -1 }, name: 'formed' },
      { key: { acceptBy: 1 }, name: 'proposed_due', partialFilterExpression: { state: 'proposed' } },
      { key: { discardAt: 1 }, name: 'discard_ttl', expireAfterSeconds: 0 },
    ]);
    await ensureCollection(db, 'ratings');
    await db
      .collection('ratings')
      .createIndexes([{ key: { userId: 1, gameId: 1, mode: 1 }, name: 'user_mode', unique: true }]);
  },

  async down(db) {
    for (const name of ['ratings', 'matches', 'tickets']) await takeBackCollection(db, name);
  },
};
