import { generateSecret, generateURI, verifySync } from 'otplib';
import type { Clock } from '../../../core/clock';
import { AppError } from '../../../core/errors';
import type { Ids } from '../../../core/ids';
import type { SealingSecrets } from '../../../core/sealing';
import { isDuplicateKey, type Transact } from '../../../database/transaction';
import type { Identity } from '../../../http/route';
import type { PostOffice } from '../../../mail/post-office';
import type { Account, UsersApi } from '../../users';
import type { SessionsService } from '../sessions.service';
import { makeRecoveryCodes } from './recovery-codes';
import type { createSecondFactorModel, SecondFactorRow } from './second-factor.models';
import { createSeals } from './seals';
import type { EnrolmentView, RecoveryView, SecondFactorView } from './second-factor.schemas';

/**
 * The second factor: codes of an authenticator app (TOTP, RFC 6238), or recovery codes. A code is good once: the time step
 * of the last one is kept, and a conditional write decides between parallel uses. Only so many are looked at in a while,
 * over all sign-ins, counted before they are looked at; to be locked out so, one has to know the password.
 */
export interface SecondFactor {
  status(player: Identity): Promise<SecondFactorView>;
  /** Makes a secret, which counts for nothing until it is confirmed. @throws CONFLICT where it is on already */
  enrol(player: Identity): Promise<EnrolmentView>;
  /** Switches it on. @throws BAD_CODE, RATE_LIMITED, CONFLICT */
  confirm(player: Identity, code: string): Promise<RecoveryView>;
  /** @throws BAD_CODE, RATE_LIMITED, CONFLICT, FORBIDDEN where the account has to have it */
  switchOff(player: Identity, code: string): Promise<void>;
  /** In the place of those before. @throws BAD_CODE, RATE_LIMITED, CONFLICT */
  renewRecoveryCodes(player: Identity, code: string): Promise<RecoveryView>;
  isOn(userId: string): Promise<boolean>;
  /** Uses a code up. @throws BAD_CODE, RATE_LIMITED */
  check(userId: string, code: string): Promise<void>;
  /** Whether this account may be more than a player only with a second factor. */
  isRequiredOf(account: Pick<Account, 'role'>): boolean;
}

export interface SecondFactorDeps {
  SecondFactors: ReturnType<typeof createSecondFactorModel>;
  users: Pick<UsersApi, 'recipient' | 'account'>;
  sessions: Pick<SessionsService, 'raise'>;
  mail: PostOffice;
  transact: Transact;
  clock: Clock;
  ids: Ids;
  siteName: string;
  config: { dataSecrets: SealingSecrets; adminSecondFactor: boolean };
}

const SECRET_BYTES = 20;
/** A clock may be off by one step of 30 s. */
const TOLERANCE_SECONDS = 30;
const TRIES = 5;
const WINDOW_MS = 15 * 60_000;

export function createSecondFactor(deps: SecondFactorDeps): SecondFactor {
  const { SecondFactors, users, sessions, mail, transact, clock, ids, siteName, config } = deps;
  const seals = createSeals(config.dataSecrets);

  const isRequiredOf = ({ role }: Pick<Account, 'role'>) => config.adminSecondFactor && role === 'admin';

  const read = (userId: string) => SecondFactors.findById(userId).lean<SecondFactorRow>();
  const readOn = async (userId: string): Promise<SecondFactorRow> => {
    const row = await read(userId);
    if (!row?.confirmedAt) throw new AppError('CONFLICT', 'The second factor is not switched on.');
    return row;
  };

  /** Counts a try before it is made. @throws RATE_LIMITED */
  const takeTry = async (userId: string): Promise<void> => {
    const at = clock.now();
    const fresh = { tries: 1, windowEnds: new Date(at + WINDOW_MS) };
    const begun = await SecondFactors.updateOne({ _id: userId, windowEnds: { $lte: new Date(at) } }, { $set: fresh });
    if (begun.matchedCount === 1) return;
    const taken = await SecondFactors.updateOne({ _id: userId, tries: { $lt: TRIES } }, { $inc: { tries: 1 } });
    if (taken.matchedCount === 1) return;
    const ends = (await read(userId))?.windowEnds.getTime() ?? at;
    throw new AppError('RATE_LIMITED', 'Too many codes were tried: wait a while.', {
      retryAfter: Math.max(1, Math.ceil((ends - at) / 1000)),
    });
  };

  /** Uses a code of the app up. @returns false where it is none, or was used */
  const useAppCode = async ({ _id, secret, lastStep }: SecondFactorRow, code: string): Promise<boolean> => {
    const result = verifySync({
      secret: seals.openSecret(secret, _id.toHexString()),
      token: code,
      epoch: Math.floor(clock.now() / 1000),
      epochTolerance: TOLERANCE_SECONDS,
      ...(lastStep > 0 ? { afterTimeStep: lastStep } : {}),
    });
    if (!result.valid || !('timeStep' in result)) return false;
    const newer = { _id, secret, lastStep: { $lt: result.timeStep } };
    const used = await SecondFactors.updateOne(newer, { $set: { lastStep: result.timeStep, tries: 0 } });
    return used.matchedCount === 1;
  };

  const useRecoveryCode = async ({ _id, recovery }: SecondFactorRow, code: string): Promise<boolean> => {
    const sealed = seals.findRecoveryCode(recovery, code, _id.toHexString());
    if (sealed === undefined) return false;
    const used = await SecondFactors.updateOne(
      { _id, confirmedAt: { $ne: null }, recovery: sealed },
      { $pull: { recovery: sealed }, $set: { tries: 0 } },
    );
    return used.matchedCount === 1;
  };

  const useCode = async (row: SecondFactorRow, code: string): Promise<void> => {
    await takeTry(row._id.toHexString());
    const good = /^\d{6}$/.test(code) ? await useAppCode(row, code) : await useRecoveryCode(row, code);
    if (!good) throw badCode();
  };

  /** Changes the row and tells the owner by mail. */
  const change = async (userId: string, on: boolean, write: Parameters<Transact>[0]) => {
    const recipient = await users.recipient(userId);
    await transact(async (session) => {
      await write(session);
      if (recipient) await mail.post(session, recipient, { kind: 'secondFactorChanged', values: { on } });
    });
    mail.wake();
  };

  return {
    async status({ userId }) {
      const [row, account] = await Promise.all([read(userId), users.account(userId)]);
      const on = Boolean(row?.confirmedAt);
      return {
        on,
        required: account !== null && isRequiredOf(account),
        recoveryCodesLeft: on ? (row?.recovery.length ?? 0) : 0,
      };
    },

    async enrol({ userId, username }) {
      const secret = generateSecret({ length: SECRET_BYTES });
      const row = { secret: seals.sealSecret(secret, userId), confirmedAt: null, lastStep: 0, recovery: [] };
      try {
        await SecondFactors.updateOne(
          { _id: userId, confirmedAt: null },
          { $set: row, $setOnInsert: { tries: 0, windowEnds: new Date(0) } },
          { upsert: true },
        );
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        throw new AppError('CONFLICT', 'The second factor is on already: switch it off first.');
      }
      return { secret, uri: generateURI({ issuer: siteName, label: username, secret }) };
    },

    async confirm({ userId, sessionId }, code) {
      const row = await read(userId);
      if (!row || row.confirmedAt)
        throw new AppError('CONFLICT', row ? 'The second factor is on already.' : 'Ask for a secret first.');
      await takeTry(userId);
      if (!/^\d{6}$/.test(code) || !(await useAppCode(row, code))) throw badCode();
      const recoveryCodes = makeRecoveryCodes(ids);
      await change(userId, true, async (session) => {
        const set = { confirmedAt: new Date(clock.now()), recovery: seals.sealRecoveryCodes(recoveryCodes, userId) };
        const { matchedCount } = await SecondFactors.updateOne(
          { _id: userId, secret: row.secret, confirmedAt: null },
          { $set: set },
          { session },
        );
        if (matchedCount !== 1) throw new AppError('CONFLICT', 'It was changed at the same moment: begin again.');
        await sessions.raise(session, sessionId);
      });
      return { recoveryCodes };
    },

    async switchOff({ userId }, code) {
      const account = await users.account(userId);
      if (account && isRequiredOf(account))
        throw new AppError('FORBIDDEN', 'An account with your rights has to have a second factor.');
      await useCode(await readOn(userId), code);
      await change(userId, false, (session) => SecondFactors.deleteOne({ _id: userId }, { session }));
    },

    async renewRecoveryCodes({ userId }, code) {
      await useCode(await readOn(userId), code);
      const recoveryCodes = makeRecoveryCodes(ids);
      await SecondFactors.updateOne(
        { _id: userId, confirmedAt: { $ne: null } },
        { $set: { recovery: seals.sealRecoveryCodes(recoveryCodes, userId) } },
      );
      return { recoveryCodes };
    },

    isOn: async (userId) => Boolean((await read(userId))?.confirmedAt),

    async check(userId, code) {
      await useCode(await readOn(userId), code);
    },

    isRequiredOf,
  };
}

const badCode = () => new AppError('BAD_CODE', 'The code is wrong, too old, or was used: take the next one.');
