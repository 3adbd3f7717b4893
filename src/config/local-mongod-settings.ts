/** Where a real `mongod` may stand: not configuration of ours, but of the machine and of mongodb-memory-server. */
export function localMongodSettings(): { systemBinary: string | undefined; path: string } {
  return { systemBinary: process.env['MONGOMS_SYSTEM_BINARY'], path: process.env['PATH'] ?? '' };
}
