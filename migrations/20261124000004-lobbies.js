const ensureCollection = require('./shared/ensure-collection');
const takeBackCollection = require('./shared/take-back-collection');

const KEEP_SECONDS = 30 * 86_400;

/** Lobbies and their chat. */
module.exports = {
  async up(db) {
    await ensureCollection(db, 'lobbies');
    await db.collection('lobbies').createIndexes([
      { key: { 'members.userId': 1, state: 1, _id: -1 }, name: 'members_state' },
      { key: { gameId: 1, mode: 1, _id: -1 }, name: 'open', partialFilterExpression: { open: true } },
      { key: { matchId: 1 }, name: 'match', unique: true, partialFilterExpression: { origin: 'match' } },
      { key: { state: 1, lastActivityAt: 1 }, name: 'idle' },
      { key: { startsAt: 1 }, name: 'starting', partialFilterExpression: { state: 'ready' } },
      { key: { closedAt: 1 }, name: 'closed_ttl', expireAfterSeconds: KEEP_SECONDS },
    ]);
    await ensureCollection(db, 'messages');
    await db.collection('messages').createIndexes([
      { key: { lobbyId: 1, sentAt: -1, _id: -1 }, name: 'lobby_time' },
      { key: { sentAt: 1 }, name: 'ttl', expireAfterSeconds: KEEP_SECONDS },
    ]);
  },

  async down(db) {
    for (const name of ['messages', 'lobbies']) await takeBackCollection(db, name);
  },
};
