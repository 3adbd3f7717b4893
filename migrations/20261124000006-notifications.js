const ensureCollection = require('./shared/ensure-collection');
const takeBackCollection = require('./shared/take-back-collection');

const DEVICE_SECONDS = 270 * 86_400;

/** Notifications, what each user wants to be told, and the devices that ask for push messages. */
module.exports = {
  async up(db) {
    const listed = { partialFilterExpression: { listed: true } };
    await ensureCollection(db, 'notifications');
    await db.collection('notifications').createIndexes([
      { key: { sourceId: 1, userId: 1, type: 1 }, name: 'once', unique: true },
      { key: { userId: 1, createdAt: -1, _id: -1 }, name: 'list', ...listed },
      { key: { userId: 1, read: 1, createdAt: -1, _id: -1 }, name: 'user_read_time', ...listed },
      { key: { expiresAt: 1 }, name: 'ttl', expireAfterSeconds: 0 },
    ]);
    await ensureCollection(db, 'notificationSettings');
    await ensureCollection(db, 'devices');
    await db.collection('devices').createIndexes([
      { key: { userId: 1, seenAt: -1 }, name: 'user_seen' },
      { key: { seenAt: 1 }, name: 'ttl', expireAfterSeconds: DEVICE_SECONDS },
    ]);
  },

  async down(db) {
    for (const name of ['devices', 'notificationSettings', 'notifications']) await takeBackCollection(db, name);
  },
};
