import type { Acknowledgement, Player } from '../../demo/player';
import { say } from '../../demo/say';
import { createInbox } from '../../demo/inbox';
import { createTally, type Actor } from '../../demo/stage';

/** How players of the demo get word through while instances are lost. */

/** Ann, whose connection does these in turn, and comes back at once when it is lost. */
function annSays(...replies: (Acknowledgement | 'cut off' | 'no answer')[]) {
  const happened: string[] = [];
  const actor: Actor = {
    inbox: createInbox(),
    ticketId: null,
    cuts: 0,
    gaps: 0,
    back: null,
    syncing: null,
    player: {
      async send() {
        const reply = replies.shift();
        happened.push(typeof reply === 'string' ? reply : 'answered');
        if (reply === 'cut off') comesBack();
        if (typeof reply !== 'object') throw new Error(String(reply));
        return reply;
      },
      cut: () => (happened.push('cuts'), comesBack()),
    } as Partial<Player> as Player,
  };
  const comesBack = () => {
    actor.back = new Promise(setImmediate).then(() => {
      happened.push('is back');
      actor.back = null;
    });
  };
  const tally = createTally();
  return { happened, tally, said: say({ tally }, actor, 'chat:send', {}) };
}

test('what is acknowledged is said once', async () => {
  const { said, happened } = annSays({ ok: true });
  expect(await said).toEqual({ ok: true, repeated: false });
  expect(happened).toEqual(['answered']);
});

test('whoever is cut off over it says it again once they are back', async () => {
  const { said, happened } = annSays('cut off', 'cut off', { ok: true });
  expect(await said).toEqual({ ok: true, repeated: true });
  expect(happened).toEqual(['cut off', 'is back', 'cut off', 'is back', 'answered']);
});

test('a connection over which no answer comes is given up', async () => {
  const { said, happened } = annSays('no answer', { ok: true });
  expect(await said).toEqual({ ok: true, repeated: true });
  expect(happened).toEqual(['no answer', 'cuts', 'is back', 'answered']);
});

test('an instance that cannot answer at the moment is asked again, and that is counted', async () => {
  const { said, tally } = annSays({ ok: false, error: { code: 'UNAVAILABLE', message: '' } }, { ok: true });
  expect(await said).toEqual({ ok: true, repeated: true });
  expect(tally.unanswered).toBe(1);
});

test('a refusal is an answer', async () => {
  const error = { code: 'LOBBY_CLOSED', message: '' };
  expect(await annSays({ ok: false, error }).said).toEqual({ ok: false, error, repeated: false });
});
