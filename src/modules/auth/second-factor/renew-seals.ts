import type { Connection } from 'mongoose';
import type { SealingSecrets } from '../../../core/sealing';
import { createSecondFactorModel } from './second-factor.models';
import { createSeals, type Sealed } from './seals';

/** Second factors by the secret that has sealed them. */
export interface Renewal {
  /** By the current one. */
  current: number;
  /** By the previous one; renewed, unless it was only looked. */
  previous: number;
  /** By neither: their owners cannot sign in. */
  lost: number;
}

/**
 * Seals again what the previous DATA_SECRET has sealed, while servers that know both go on. May be broken off and run again.
 * @param look only counts
 */
export async function renewSeals(
  connection: Connection,
  secrets: SealingSecrets,
  { look = false } = {},
): Promise<Renewal> {
  const SecondFactors = createSecondFactorModel(connection);
  const seals = createSeals(secrets);
  const found: Renewal = { current: 0, previous: 0, lost: 0 };

  const renew = async (row: Sealed): Promise<keyof Renewal> => {
    let fresh: Sealed | null;
    try {
      fresh = seals.renewed(row);
    } catch {
      return 'lost';
    }
    if (fresh === null) return 'current';
    if (look) return 'previous';
    const { _id, secret, recovery } = row;
    const asRead = { _id, secret, recovery };
    const { matchedCount } = await SecondFactors.updateOne(asRead, {
      $set: { secret: fresh.secret, recovery: fresh.recovery },
    });
    if (matchedCount === 1) return 'previous';
    // its owner has used a code, or switched it off, in between
    const now = await SecondFactors.findById(_id).lean<Sealed>();
    return now ? renew(now) : 'current';
  };

  for await (const row of SecondFactors.find({}, { secret: 1, recovery: 1 }).lean<Sealed[]>().cursor())
    found[await renew(row)] += 1;
  return found;
}
