import type { Connection } from 'mongoose';
import type { Clock } from '../../core/clock';
import { notFound } from '../../core/errors';
import { isDuplicateKey } from '../../database/transaction';
import { createDeviceModel } from './notifications.models';

/** The devices that asked to be woken by push messages. A token is one device: it belongs to whoever signed in last. */
export interface DevicesService {
  /** To be called at every start of the app: tokens change, and devices that are not seen any more are forgotten. */
  register(userId: string, token: string, platform: string): Promise<void>;
  /** @throws NOT_FOUND unless it is a device of this user */
  forget(userId: string, token: string): Promise<void>;
}

/** More than anybody carries: the device not seen for longest makes room. */
const MAX_DEVICES = 20;

export function createDevicesService({ connection, clock }: { connection: Connection; clock: Clock }): DevicesService {
  const Devices = createDeviceModel(connection);

  const write = async (userId: string, token: string, platform: string) =>
    Devices.updateOne({ _id: token }, { $set: { userId, platform, seenAt: new Date(clock.now()) } }, { upsert: true });

  return {
    async register(userId, token, platform) {
      try {
        await write(userId, token, platform);
      } catch (error) {
        // two first registrations at once: by now it exists
        if (!isDuplicateKey(error)) throw error;
        await write(userId, token, platform);
      }
      const surplus = await Devices.find({ userId }, { _id: 1 }).sort({ seenAt: -1 }).skip(MAX_DEVICES).lean();
      if (surplus.length > 0) await Devices.deleteMany({ _id: { $in: surplus.map((device) => device._id) }, userId });
    },
    async forget(userId, token) {
      const { deletedCount } = await Devices.deleteOne({ _id: token, userId });
      if (deletedCount === 0) throw notFound('device');
    },
  };
}
