/** All that a server holds besides its sockets. Nothing runs yet, and nothing listens. */
import { type Store } from '../storage/store';
import { type Server } from './command';
import { Cursors } from './cursors';
import { PARAMETERS } from './monitor';
import { Sessions } from './sessions';
import { Snapshots } from './snapshots';

/** @param parametersChanged called when a client has set a parameter */
export function createServerState(store: Store, parametersChanged: () => void = () => undefined): Server {
  const cursors = new Cursors();
  const sessions = new Sessions(store);
  // what a session or its transaction has opened goes with it
  sessions.onEnd = ({ id, state, txnNumber }) =>
    cursors.killWhere((cursor) => cursor.session === id && (state === 'none' || cursor.txnNumber === txnNumber));
  return {
    store,
    cursors,
    sessions,
    snapshots: new Snapshots(store),
    failPoints: new Map(),
    parameters: { ...PARAMETERS },
    parametersChanged,
    address: '',
    startedAt: Date.now(),
  };
}
