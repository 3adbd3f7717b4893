import { AppError, notFound } from '../../core/errors';

/**
 * The rules of a lobby, as pure functions: a lobby and a wish in, the changed lobby and what there is to tell out, or an
 * AppError that says why not. `null` means: it is so already.
 *
 *   forming --everybody is ready (and at least two are here)--> ready --the host starts, or time does--> active
 *   forming <--somebody joins, is not ready any more, or too few are left-- ready
 *   any of the three --host, idleness, end of the match, last one leaves--> closed
 */

export type LobbyState = 'forming' | 'ready' | 'active' | 'closed';

export interface Member {
  userId: string;
  username: string;
  ready: boolean;
  joinedAt: number;
}

/** Ids are 24-hex strings, times milliseconds since the epoch. Members stand in the order in which they came. */
export interface Lobby {
  id: string;
  gameId: string;
  mode: string;
  state: LobbyState;
  origin: 'match' | 'player';
  matchId: string | null;
  visibility: 'private' | 'public';
  capacity: number;
  /** A member, as long as there are any. */
  hostId: string;
  members: Member[];
  invited: string[];
  /** Kicked: only an invitation brings them back. */
  removed: string[];
  version: number;
  createdAt: number;
  updatedAt: number;
  lastActivityAt: number;
  /** When a ready match lobby starts by itself. */
  startsAt: number | null;
  closedAt: number | null;
}

export type News =
  | { type: 'lobby.updated' }
  | { type: 'lobby.memberJoined'; userId: string; username: string }
  | { type: 'lobby.memberLeft'; userId: string }
  | { type: 'lobby.memberReady'; userId: string; ready: boolean }
  | { type: 'lobby.memberKicked'; userId: string }
  | { type: 'lobby.hostChanged'; hostId: string }
  | { type: 'lobby.closed'; reason: string };

export interface Change {
  lobby: Lobby;
  news: News[];
  /** Lines of the system for the chat. */
  lines: string[];
}

/** Where each state may go. */
export const TRANSITIONS: Record<LobbyState, readonly LobbyState[]> = {
  forming: ['ready', 'closed'],
  ready: ['forming', 'active', 'closed'],
  active: ['closed'],
  closed: [],
};

type Wish =
  | 'join'
  | 'leave'
  | 'ready'
  | 'kick'
  | 'host'
  | 'configure'
  | 'start'
  | 'close'
  | 'invite'
  | 'talk'
  | 'queue'
  | 'refill';

/** In which states a wish can be granted. */
export const POSSIBLE_IN: Record<Wish, readonly LobbyState[]> = {
  join: ['forming', 'ready'],
  leave: ['forming', 'ready', 'active'],
  ready: ['forming', 'ready'],
  kick: ['forming', 'ready'],
  host: ['forming', 'ready', 'active'],
  configure: ['forming', 'ready'],
  start: ['ready'],
  close: ['forming', 'ready', 'active'],
  invite: ['forming', 'ready'],
  talk: ['forming', 'ready', 'active'],
  queue: ['forming', 'ready'],
  refill: ['forming', 'ready', 'active'],
};

export const MIN_TO_START = 2;
/** How long a match lobby in which everybody is ready waits before it starts by itself. */
export const START_AFTER_MS = 5_000;
export const MAX_INVITED = 100;

export const isMember = (lobby: Lobby, userId: string): boolean =>
  lobby.members.some((member) => member.userId === userId);

/** Listed for everybody to join: public, made by a player, not playing yet, and with a free seat. */
export const isOpen = (lobby: Omit<Lobby, 'id'>): boolean => isPublic(lobby) && lobby.members.length < lobby.capacity;

const isPublic = (lobby: Omit<Lobby, 'id'>) =>
  lobby.visibility === 'public' && lobby.origin === 'player' && POSSIBLE_IN.join.includes(lobby.state);

/** Members and invited players know of a lobby, and everybody of a public one that can still be joined. */
export const isVisibleTo = (lobby: Lobby, userId: string): boolean =>
  isMember(lobby, userId) || lobby.invited.includes(userId) || isPublic(lobby);

/** @throws NOT_FOUND for a stranger */
export function requireVisible(lobby: Lobby, userId: string): void {
  if (!isVisibleTo(lobby, userId)) throw notFound('lobby');
}

/** @throws NOT_FOUND for a stranger, FORBIDDEN for who could join but has not */
export function requireMember(lobby: Lobby, userId: string): void {
  requireVisible(lobby, userId);
  if (!isMember(lobby, userId)) throw new AppError('FORBIDDEN', 'Only members of the lobby may do this: join first.');
}

/** @throws NOT_FOUND, FORBIDDEN, NOT_HOST */
export function requireHost(lobby: Lobby, userId: string): void {
  requireMember(lobby, userId);
  if (lobby.hostId !== userId) throw new AppError('NOT_HOST', 'Ask the host of the lobby to do this.');
}

/** @throws LOBBY_CLOSED, CONFLICT */
export function requirePossible(lobby: Lobby, wish: Wish): void {
  if (POSSIBLE_IN[wish].includes(lobby.state)) return;
  if (lobby.state === 'closed') throw new AppError('LOBBY_CLOSED', 'The lobby is closed: open or join another one.');
  const needed = POSSIBLE_IN[wish].join(' or ');
  throw new AppError('CONFLICT', `This needs a lobby that is ${needed}; it is ${lobby.state}.`);
}

/** @param blocked everyone with whom the newcomer has a block, in either direction */
export function join(
  lobby: Lobby,
  who: { userId: string; username: string },
  blocked: ReadonlySet<string>,
  now: number,
): Change | null {
  requireVisible(lobby, who.userId);
  if (isMember(lobby, who.userId) && lobby.state !== 'closed') return null;
  requirePossible(lobby, 'join');
  const invited = lobby.invited.includes(who.userId);
  if (lobby.removed.includes(who.userId) && !invited)
    throw new AppError(
      'FORBIDDEN',
      'You were removed from this lobby: only an invitation of its host brings you back.',
    );
  if (lobby.members.some((member) => blocked.has(member.userId)))
    throw new AppError('BLOCKED', 'There is a block between you and a member of this lobby.');
  if (lobby.members.length >= lobby.capacity)
    throw new AppError('LOBBY_FULL', `All ${lobby.capacity} seats of the lobby are taken.`);
  const members = [...lobby.members, { ...who, ready: false, joinedAt: now }];
  const next = { ...lobby, members, invited: lobby.invited.filter((id) => id !== who.userId) };
  return changed(next, now, [{ type: 'lobby.memberJoined', ...who }], [`${who.username} joined`]);
}

/**
 * Newcomers take the places of those who left a match. Others than `present` in the lobby mean that somebody has just come or gone.
 * @throws CONFLICT, LOBBY_CLOSED
 */
export function seat(
  lobby: Lobby,
  present: readonly string[],
  newcomers: readonly { userId: string; username: string }[],
  now: number,
): Change {
  requirePossible(lobby, 'refill');
  const here = lobby.members.map((member) => member.userId);
  if (here.length !== present.length || here.some((userId) => !present.includes(userId)))
    throw new AppError('CONFLICT', 'Somebody has just left the lobby.');
  const members = [...lobby.members, ...newcomers.map((who) => ({ ...who, ready: false, joinedAt: now }))];
  const ids = newcomers.map((who) => who.userId);
  const next = {
    ...lobby,
    members,
    capacity: Math.max(lobby.capacity, members.length),
    removed: lobby.removed.filter((userId) => !ids.includes(userId)),
  };
  const news = newcomers.map((who): News => ({ type: 'lobby.memberJoined', ...who }));
  return changed(
    next,
    now,
    news,
    newcomers.map((who) => `${who.username} joined`),
  );
}

/**
 * Somebody's lobby that searched for players becomes that of the match which it found: nobody else can join from here on. @throws as `seat`
 */
export function adopt(
  lobby: Lobby,
  matchId: string,
  present: readonly string[],
  newcomers: readonly { userId: string; username: string }[],
  now: number,
): Change {
  requirePossible(lobby, 'queue');
  const matched: Lobby = { ...lobby, origin: 'match', matchId, visibility: 'private', invited: [] };
  return seat(matched, present, newcomers, now);
}

export function leave(lobby: Lobby, userId: string, now: number): Change {
  requireMember(lobby, userId);
  requirePossible(lobby, 'leave');
  const left = without(lobby, userId);
  const gone: News = { type: 'lobby.memberLeft', userId };
  const heir = left.members[0];
  if (!heir) return closed(left, 'everybody left', now, [gone]);
  const lines = [`${nameIn(lobby, userId)} left`];
  if (lobby.hostId !== userId) return changed(left, now, [gone], lines);
  const news: News[] = [gone, { type: 'lobby.hostChanged', hostId: heir.userId }];
  return changed({ ...left, hostId: heir.userId }, now, news, [...lines, `${heir.username} is the host now`]);
}

export function setReady(lobby: Lobby, userId: string, ready: boolean, now: number): Change | null {
  requireMember(lobby, userId);
  // whoever says "ready" again after the start has what they want
  if (lobby.state === 'active' && ready) return null;
  requirePossible(lobby, 'ready');
  if (lobby.members.find((member) => member.userId === userId)?.ready === ready) return null;
  const members = lobby.members.map((member) => (member.userId === userId ? { ...member, ready } : member));
  return changed({ ...lobby, members }, now, [{ type: 'lobby.memberReady', userId, ready }]);
}

export function kick(lobby: Lobby, hostId: string, userId: string, now: number): Change {
  requireHost(lobby, hostId);
  requirePossible(lobby, 'kick');
  if (userId === hostId) throw new AppError('CONFLICT', 'The host cannot be kicked: leave, or close the lobby.');
  if (!isMember(lobby, userId)) throw notFound('member');
  const next = { ...without(lobby, userId), removed: [...lobby.removed, userId] };
  const lines = [`${nameIn(lobby, userId)} was removed`];
  return changed(next, now, [{ type: 'lobby.memberKicked', userId }], lines);
}

export function transferHost(lobby: Lobby, hostId: string, userId: string, now: number): Change | null {
  requireHost(lobby, hostId);
  requirePossible(lobby, 'host');
  if (userId === hostId) return null;
  if (!isMember(lobby, userId)) throw notFound('member');
  const lines = [`${nameIn(lobby, userId)} is the host now`];
  return changed({ ...lobby, hostId: userId }, now, [{ type: 'lobby.hostChanged', hostId: userId }], lines);
}

export function configure(
  lobby: Lobby,
  hostId: string,
  wanted: { visibility?: Lobby['visibility'] | undefined; capacity?: number | undefined },
  now: number,
): Change | null {
  requireHost(lobby, hostId);
  requirePossible(lobby, 'configure');
  if (lobby.origin === 'match') throw new AppError('CONFLICT', 'The seats of a match lobby are those of its match.');
  const { visibility = lobby.visibility, capacity = lobby.capacity } = wanted;
  if (capacity < lobby.members.length)
    throw new AppError('CONFLICT', `${lobby.members.length} are in the lobby: the capacity cannot be below that.`);
  if (visibility === lobby.visibility && capacity === lobby.capacity) return null;
  return changed({ ...lobby, visibility, capacity }, now, [{ type: 'lobby.updated' }]);
}

/** @param hostId null: time starts it. */
export function start(lobby: Lobby, hostId: string | null, now: number): Change | null {
  if (hostId !== null) requireHost(lobby, hostId);
  if (lobby.state === 'active') return null;
  requirePossible(lobby, 'start');
  const next: Lobby = { ...lobby, state: 'active', startsAt: null };
  return changed(next, now, [{ type: 'lobby.updated' }]);
}

/** @param hostId null: the server closes it. */
export function close(lobby: Lobby, hostId: string | null, reason: string, now: number): Change | null {
  if (hostId !== null) requireHost(lobby, hostId);
  if (lobby.state === 'closed') return null;
  return closed(lobby, reason, now, []);
}

export function invite(lobby: Lobby, hostId: string, userId: string, now: number): Change | null {
  requireHost(lobby, hostId);
  requirePossible(lobby, 'invite');
  if (lobby.origin === 'match') throw new AppError('CONFLICT', 'Nobody can be invited into a match lobby.');
  if (isMember(lobby, userId)) throw new AppError('CONFLICT', 'They are in the lobby already.');
  if (lobby.invited.includes(userId)) return null;
  if (lobby.invited.length >= MAX_INVITED)
    throw new AppError('CONFLICT', `At most ${MAX_INVITED} invitations can be open at once.`);
  const next = {
    ...lobby,
    invited: [...lobby.invited, userId],
    removed: lobby.removed.filter((id) => id !== userId),
  };
  return changed(next, now, [{ type: 'lobby.updated' }]);
}

/** When a lobby in which nothing happens closes. In an active one people are away playing: it is given longer. */
export const IDLE_FACTOR: Record<Exclude<LobbyState, 'closed'>, number> = { forming: 1, ready: 1, active: 6 };

function changed(lobby: Lobby, now: number, news: News[], lines: string[] = []): Change {
  const next = { ...settled(lobby, now), version: lobby.version + 1, updatedAt: now, lastActivityAt: now };
  return { lobby: next, news, lines };
}

function closed(lobby: Lobby, reason: string, now: number, before: News[]): Change {
  const next: Lobby = { ...lobby, state: 'closed', startsAt: null, closedAt: now };
  return changed(next, now, [...before, { type: 'lobby.closed', reason }]);
}

/** Before the start the state follows from who is here and ready. */
function settled(lobby: Lobby, now: number): Lobby {
  if (lobby.state !== 'forming' && lobby.state !== 'ready') return lobby;
  const complete = lobby.members.length >= MIN_TO_START && lobby.members.every((member) => member.ready);
  if (!complete) return { ...lobby, state: 'forming', startsAt: null };
  if (lobby.state === 'ready') return lobby;
  return { ...lobby, state: 'ready', startsAt: lobby.origin === 'match' ? now + START_AFTER_MS : null };
}

const without = (lobby: Lobby, userId: string): Lobby => ({
  ...lobby,
  members: lobby.members.filter((member) => member.userId !== userId),
});

const nameIn = (lobby: Lobby, userId: string) =>
  lobby.members.find((member) => member.userId === userId)?.username ?? 'somebody';
