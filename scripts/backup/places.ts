import { basename, dirname } from 'node:path';
import { folder } from './folder';
import { isBackup, type Place } from './place';
import { BackupError } from './records';
import { bucket } from './s3';

/** @param at a folder, or `s3://bucket/prefix` */
export const openPlace = (at: string): Place => (at.startsWith('s3://') ? bucket(at) : folder(at));

/** A backup by its whole address, or the newest one of a place. */
export async function findBackup(address: string): Promise<{ place: Place; name: string }> {
  if (isBackup(basename(address))) {
    const at = address.slice(0, -basename(address).length).replace(/\/$/, '');
    return { place: openPlace(at === '' ? dirname(address) : at), name: basename(address) };
  }
  const place = openPlace(address);
  const name = (await place.list()).at(-1);
  if (name === undefined) throw new BackupError(`There is no backup in ${address}.`);
  return { place, name };
}
