/* global db, quit, rs */
// Health check of the MongoDB containers, run by mongosh: makes the one-node replica set at the first start (transactions
// need one) under the name that the other containers know, and is content once the node is primary.
try {
  rs.status();
} catch {
  rs.initiate({ _id: 'rs0', members: [{ _id: 0, host: 'mongo:27017' }] });
}
quit(db.hello().isWritablePrimary ? 0 : 1);
