import type { Connection } from 'mongoose';
import { createSettingsModel, type SettingsRow } from './notifications.models';
import { settingsOf, type Choices, type Settings } from './notifications.policy';

/** What each user wants to be told, and how. Only decisions are stored: a default that changes later reaches everybody else. */
export interface SettingsService {
  settings(userId: string): Promise<Settings>;
  /** Takes the place of all decisions before. */
  decide(userId: string, choices: Choices): Promise<Settings>;
  /** Decisions of those who made any. */
  choicesOf(userIds: readonly string[]): Promise<Map<string, Choices>>;
}

export function createSettingsService(connection: Connection): SettingsService {
  const Rows = createSettingsModel(connection);
  return {
    async settings(userId) {
      const row = await Rows.findById(userId).lean<SettingsRow>();
      return settingsOf(row?.types ?? {});
    },
    async decide(userId, choices) {
      await Rows.updateOne({ _id: userId }, { $set: { types: choices } }, { upsert: true });
      return settingsOf(choices);
    },
    async choicesOf(userIds) {
      const rows = await Rows.find({ _id: { $in: userIds } }).lean<SettingsRow[]>();
      return new Map(rows.map((row) => [row._id.toHexString(), row.types]));
    },
  };
}
