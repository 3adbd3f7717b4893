import type { Judgement } from './quality';
import type { Teams } from './teams';

/** A group that may play: its teams, and what is to be expected of them. */
export interface Found {
  /** In the order in which they joined. */
  members: readonly number[];
  players: number;
  teams: Teams;
  judgement: Judgement;
}
