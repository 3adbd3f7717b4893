import type { Acknowledgement } from './player';
import { soon } from './rest';
import type { Actor, Stage } from './stage';

/** How long somebody says the same again. */
const PATIENCE_MS = 60_000;

export interface Said extends Acknowledgement {
  /** It may have been done before. */
  repeated: boolean;
}

/**
 * Says something until it is acknowledged: whoever is cut off over it says it again once they are back, and whoever gets no answer
 * has lost their connection, too, though nobody has told them yet. @throws where there was no answer for a minute
 */
export async function say(
  { tally }: Pick<Stage, 'tally'>,
  actor: Actor,
  event: string,
  payload: object,
): Promise<Said> {
  const until = Date.now() + PATIENCE_MS;
  for (let repeated = false; ; repeated = true) {
    await actor.back;
    try {
      const answer = await actor.player.send(event, payload);
      if (answer.error?.code !== 'UNAVAILABLE' || Date.now() > until) return { ...answer, repeated };
      tally.unanswered += 1;
      await soon();
    } catch (error) {
      if (Date.now() > until) throw error;
      if (actor.back === null) actor.player.cut();
    }
  }
}
