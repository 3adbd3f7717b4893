import type { Metrics } from '../../observability/metrics';
import type { createLobbyModel } from './lobbies.models';
import type { Lobby } from './lobbies.policy';

const SHOWN: readonly Lobby['state'][] = ['forming', 'ready', 'active'];

export function measureLobbies(metrics: Metrics, Lobbies: ReturnType<typeof createLobbyModel>): void {
  metrics.gauges('maoga_lobbies', 'Lobbies that are not closed, by state; of all instances', 'state', async () => {
    const counts = SHOWN.map(async (state) => [state, await Lobbies.countDocuments({ state })] as const);
    return Object.fromEntries(await Promise.all(counts));
  });
}
