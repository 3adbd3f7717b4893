const ensureCollection = require('./shared/ensure-collection');
const takeBackCollection = require('./shared/take-back-collection');

/** Standing of accounts, reports of players, karma, and the log of what moderators and admins did. */
module.exports = {
  async up(db) {
    for (const name of ['audit', 'reports', 'karma']) await ensureCollection(db, name);
    await db.collection('audit').createIndexes([
      { key: { at: -1, _id: -1 }, name: 'time' },
      { key: { actorId: 1, at: -1, _id: -1 }, name: 'actor' },
      { key: { targetId: 1, at: -1, _id: -1 }, name: 'target' },
      { key: { action: 1, at: -1, _id: -1 }, name: 'action' },
    ]);
    await db.collection('reports').createIndexes([
      { key: { state: 1, createdAt: 1, _id: 1 }, name: 'queue' },
      { key: { aboutId: 1, state: 1 }, name: 'about' },
      {
        key: { byId: 1, aboutId: 1, subject: 1 },
        name: 'open_once',
        unique: true,
        partialFilterExpression: { state: 'open' },
      },
      { key: { closedAt: 1 }, name: 'closed_ttl', expireAfterSeconds: 365 * 86_400 },
    ]);
    await db.collection('karma').createIndexes([
      { key: { matchId: 1, fromId: 1, toId: 1 }, name: 'once', unique: true },
      { key: { toId: 1 }, name: 'to' },
      { key: { fromId: 1 }, name: 'from' },
    ]);
    await db.collection('users').createIndexes([
      { key: { status: 1, _id: -1 }, name: 'status' },
      { key: { role: 1, _id: -1 }, name: 'role' },
    ]);
  },

  async down(db) {
    for (const name of ['role', 'status']) await db.collection('users').dropIndex(name);
    for (const name of ['karma', 'reports', 'audit']) await takeBackCollection(db, name);
  },
};
