/**
 * Takes back a collection that a migration made: an empty one goes, one that holds something keeps it and loses its indexes. A step
 * back never costs anybody their data, and the step forward again finds it.
 */
module.exports = async function takeBackCollection(db, name) {
  const collection = db.collection(name);
  if ((await collection.findOne({}, { projection: { _id: 1 } })) === null) await db.dropCollection(name);
  else await collection.dropIndexes();
};
