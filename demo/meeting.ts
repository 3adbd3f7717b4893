import type { End, Teams } from './ledger';
import { wordsOf } from './player';
import { say, type Said } from './say';
import type { Actor, Stage } from './stage';

type Match = Extract<End, { kind: 'matched' }>;

/** How long the news of others may take before they count as lost. */
const PATIENCE_MS = 60_000;

/** What one player does in one match: ready up, say something, play when all are ready, report, and hear that it is over. */
export async function meet(stage: Stage, actor: Actor, { matchId, lobbyId, teams }: Match): Promise<void> {
  const { player, inbox } = actor;
  const { ledger, tally } = stage;
  const members = teams.flat().map((member) => member.userId);
  const seen = inbox.lobby(lobbyId);
  const within = async (what: string, holds: () => boolean) => {
    if (!(await inbox.until(holds, PATIENCE_MS))) ledger.broken(`${player.username} waited in vain for ${what}`);
  };

  await within('the lobby', () => seen.hostId !== null);
  const ready = await say(stage, actor, 'lobby:ready', { lobbyId, ready: true });
  if (!isDone(ready)) ledger.broken(`${player.username} could not be ready: ${ready.error?.message}`);
  const line = await say(stage, actor, 'chat:send', { lobbyId, content: `Hello from ${player.username}!` });
  if (!isDone(line)) ledger.broken(`${player.username} could not say hello: ${line.error?.message}`);

  await within('everybody to be ready', () => seen.state !== 'forming');
  if (seen.hostId === player.userId) await start(stage, actor, lobbyId);
  await within('the start', () => seen.state === 'active' || seen.state === 'closed');
  tally.linesExpected += members.length;
  await within('what the others said', () => members.every((userId) => seen.speakers.has(userId)));
  tally.linesHeard += members.filter((userId) => seen.speakers.has(userId)).length;

  const result = resultOf(matchId, teams, stage.strengthOf);
  const reported = await player.insist('POST', `/api/matchmaking/matches/${matchId}/result`, result);
  if (reported.status !== 200) ledger.broken(`${player.username} could not report: ${wordsOf(reported)}`);
  await within('the end of the match', () => seen.state === 'closed');
  ledger.released(player.userId, matchId);
  if (members[0] === player.userId) await lookBack(stage, actor, matchId);
}

/** What is said again may have been done the first time, and the others be through with the match since. */
const isDone = ({ ok, error, repeated }: Said): boolean => ok || (repeated && error?.code === 'LOBBY_CLOSED');

async function start({ ledger }: Stage, { player }: Actor, lobbyId: string): Promise<void> {
  const started = await player.insist('PATCH', `/api/lobbies/${lobbyId}`, { state: 'active' });
  // it starts by itself too, and may be over where somebody was slow
  if (started.status !== 200 && started.status !== 409)
    ledger.broken(`${player.username} could not start: ${wordsOf(started)}`);
}

/** The match as its players can look at it afterwards. */
async function lookBack({ ledger, tally }: Stage, { player }: Actor, matchId: string): Promise<void> {
  const { status, body } = await player.insist('GET', `/api/matchmaking/matches/${matchId}`);
  if (status !== 200 || body.state !== 'completed')
    ledger.broken(`match ${matchId} was reported and is ${status === 200 ? body.state : status}`);
  const ratings = (body?.ratings ?? []).map(({ before }: { before: { mu: number } }) => before.mu) as number[];
  if (ratings.length > 0) tally.spreads.push(Math.max(...ratings) - Math.min(...ratings));
  tally.completed += 1;
}

/** What the rules of the game would say: the stronger team mostly wins. Everybody in the match comes to the same result. */
function resultOf(matchId: string, teams: Teams, strengthOf: (userId: string) => number): object {
  if (teams.length === 1) return { completed: true };
  const luck = Number.parseInt(matchId.slice(-6), 16);
  const form = teams.map((team, i) => {
    const strength = team.reduce((sum, { userId }) => sum + strengthOf(userId), 0) / team.length;
    return strength + ((luck >> i) % 7);
  });
  const better = form.map((mine) => form.filter((theirs) => theirs > mine).length);
  return teams.length === 2 ? { winner: better.indexOf(0) } : { placement: better.map((ahead) => ahead + 1) };
}
