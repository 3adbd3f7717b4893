import type { Connection } from 'mongoose';
import { testDatabase } from '../../../test/support/database';
import { manualClock } from '../../core/clock';
import { systemIds } from '../../core/ids';
import { createDevicesService, type DevicesService } from './devices.service';

let connection: Connection;
let devices: DevicesService;
const clock = manualClock();
beforeAll(async () => {
  connection = await testDatabase();
  devices = createDevicesService({ connection, clock });
});

const owners = async (token: string) =>
  (
    await connection
      .collection('devices')
      .find({ _id: token as never })
      .toArray()
  ).map((device) => String(device['userId']));

test('a device belongs to whoever registered it last', async () => {
  const [ann, ben] = [systemIds.id(), systemIds.id()];
  await devices.register(ann, 'token-shared', 'ios');
  await devices.register(ben, 'token-shared', 'ios');
  expect(await owners('token-shared')).toEqual([ben]);
  await expect(devices.forget(ann, 'token-shared')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await owners('token-shared')).toEqual([ben]);
  await devices.forget(ben, 'token-shared');
  expect(await owners('token-shared')).toEqual([]);
});

test('registering one token many times at once makes one device', async () => {
  const userId = systemIds.id();
  await Promise.all(Array.from({ length: 20 }, () => devices.register(userId, 'token-parallel', 'web')));
  expect(await owners('token-parallel')).toEqual([userId]);
});

test('of more devices than anybody carries, those not seen for longest are forgotten', async () => {
  const userId = systemIds.id();
  for (let i = 0; i < 22; i++) {
    clock.advance(1000);
    await devices.register(userId, `token-many-${i}`, 'android');
  }
  expect(await connection.collection('devices').countDocuments({ _id: /^token-many-/ as never })).toBe(20);
  expect(await owners('token-many-1')).toEqual([]);
  expect(await owners('token-many-2')).toEqual([userId]);
});
