import { Types, type ClientSession } from 'mongoose';
import type { Clock } from '../../core/clock';
import { AppError, notFound } from '../../core/errors';
import type { Ids } from '../../core/ids';
import type { Act, Audit } from '../../database/audit';
import type { Outbox } from '../../database/outbox';
import { isDuplicateKey, type Transact } from '../../database/transaction';
import type { Identity } from '../../http/route';
import type { GameEvents } from './games.api';
import { nameFields, newGameFields, toGameView, type GameModel, type GameRow, type ModeRow } from './games.models';
import type { GamePatch, GameView, ModeBody, ModeView, NewGame } from './games.schemas';

/**
 * What admins change. Every change is one transaction of a conditional update, which counts the version up, and the
 * fact `game.changed`. A change that names the version it is based on is refused when that has passed: two admins do not
 * overwrite each other unseen.
 */
export interface GameChanges {
  /** @throws SLUG_TAKEN */
  create(admin: Admin, game: NewGame): Promise<GameView>;
  /** @throws NOT_FOUND, VERSION_CONFLICT */
  patch(admin: Admin, gameId: string, change: GamePatch): Promise<GameView>;
  /** Adds the mode or replaces its rule set. @throws NOT_FOUND, VERSION_CONFLICT, CONFLICT, VALIDATION_FAILED */
  putMode(admin: Admin, gameId: string, key: string, change: ModeBody): Promise<ModeView>;
}

type Admin = Pick<Identity, 'userId'>;

export interface GameChangesDeps {
  Games: GameModel;
  transact: Transact;
  outbox: Outbox<GameEvents>;
  audit: Pick<Audit, 'append'>;
  clock: Clock;
  ids: Ids;
  /** Called when a change has been committed here. */
  onChange: (gameId: string) => void;
}

const MAX_MODES = 50;

export function createGameChanges(deps: GameChangesDeps): GameChanges {
  const { Games, transact, outbox, audit, clock, ids, onChange } = deps;

  /** Runs one change together with the fact that tells of it, and its row in the audit log. */
  const changing = async (
    { userId: actorId }: Admin,
    act: Pick<Act, 'action' | 'details'>,
    work: (session: ClientSession) => Promise<GameRow>,
  ): Promise<GameRow> => {
    const row = await transact(async (session) => {
      const changed = await work(session);
      const gameId = changed._id.toHexString();
      await outbox.append(session, 'game.changed', gameId, { gameId, slug: changed.slug });
      await audit.append(session, { ...act, actorId, targetId: gameId });
      return changed;
    });
    onChange(row._id.toHexString());
    outbox.wake();
    return row;
  };

  const read = async (gameId: string, session: ClientSession): Promise<GameRow> => {
    const row = await Games.findById(gameId).session(session).lean<GameRow>();
    if (!row) throw notFound('game');
    return row;
  };

  /** The conditional update: `current` holds what must still be true of the row. */
  const write = async (current: object, update: object, session: ClientSession): Promise<GameRow> => {
    const row = await Games.findOneAndUpdate(current, update, { session, returnDocument: 'after' }).lean<GameRow>();
    if (!row) throw new AppError('VERSION_CONFLICT', 'Somebody changed it at the same moment: read it and try again.');
    return row;
  };

  return {
    async create(admin, game) {
      const row: GameRow = { _id: new Types.ObjectId(ids.id()), ...newGameFields(game, clock.now()) };
      try {
        await changing(admin, { action: 'game.created', details: { slug: game.slug } }, async (session) => {
          await Games.create([row], { session });
          return row;
        });
      } catch (error) {
        if (!isDuplicateKey(error, 'slug')) throw error;
        throw new AppError('SLUG_TAKEN', `There is a game with the slug ${game.slug} already.`, { cause: error });
      }
      return toGameView(row, clock.now());
    },

    async patch(admin, gameId, { version, ...facts }) {
      const act = { action: 'game.changed', details: { fields: Object.keys(definedOf(facts)) } } as const;
      const row = await changing(admin, act, async (session) => {
        const before = await read(gameId, session);
        requireVersion(version, before.version, 'game');
        const { releaseDate, ...others } = facts;
        const fields = {
          ...others,
          ...(releaseDate === undefined ? {} : { releaseDate: releaseDate ?? '' }),
          ...nameFields(facts.name ?? before.name, facts.aliases ?? before.aliases),
          updatedAt: new Date(clock.now()),
        };
        return write(
          { _id: gameId, version: before.version },
          { $set: definedOf(fields), $inc: { version: 1 } },
          session,
        );
      });
      return toGameView(row, clock.now());
    },

    async putMode(admin, gameId, key, { name, ruleSet, version }) {
      const row = await changing(admin, { action: 'mode.changed', details: { key } }, async (session) => {
        const before = await read(gameId, session);
        const mode = before.modes.find((candidate) => candidate.key === key);
        requireVersion(version, mode?.version ?? 0, 'mode');
        const updatedAt = new Date(clock.now());
        if (mode) {
          const fields = { 'modes.$.ruleSet': ruleSet, 'modes.$.name': name ?? mode.name, updatedAt };
          return write(
            { _id: gameId, modes: { $elemMatch: { key, version: mode.version } } },
            { $set: fields, $inc: { 'modes.$.version': 1 } },
            session,
          );
        }
        const added = { key, name: requireName(name), ruleSet, version: 1 } satisfies ModeRow;
        if (before.modes.length >= MAX_MODES)
          throw new AppError('CONFLICT', `A game has at most ${MAX_MODES} modes: change one of them instead.`);
        return write(
          { _id: gameId, 'modes.key': { $ne: key } },
          { $push: { modes: added }, $set: { updatedAt } },
          session,
        );
      });
      return row.modes.find((mode) => mode.key === key) as ModeRow;
    },
  };
}

function requireVersion(basedOn: number | undefined, current: number, what: 'game' | 'mode'): void {
  if (basedOn === undefined || basedOn === current) return;
  const state = current === 0 ? `The ${what} does not exist yet` : `The ${what} is at version ${current}`;
  throw new AppError('VERSION_CONFLICT', `${state}, the change is based on ${basedOn}: read it again and repeat.`);
}

function requireName(name: string | undefined): string {
  if (name !== undefined) return name;
  const errors = [{ path: 'body.name', message: 'a new mode needs a name' }];
  throw new AppError('VALIDATION_FAILED', 'body.name: a new mode needs a name', { errors });
}

const definedOf = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
