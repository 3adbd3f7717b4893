/** Creates a collection, unless an earlier run that was cut short has done so: a migration may run twice. */
module.exports = async function ensureCollection(db, name) {
  const exists = await db.listCollections({ name }).hasNext();
  if (!exists) await db.createCollection(name);
};
