import { dictionary } from '@zxcvbn-ts/language-common';

/** Nearly 50,000 passwords that people really chose, from published leaks; the shorter ones are refused by their length. */
const COMMON = new Set(dictionary['passwords-common'].filter((word) => word.length >= 8));

/** What players think of first; with digits and signs around them, too. */
const GAME_WORDS = new Set(
  `maoga matchmaking gamer gaming letsplay playstation nintendo xboxlive steam minecraft fortnite valorant overwatch
  leagueoflegends counterstrike callofduty warzone apexlegends rocketleague dota roblox pubg battlefield worldofwarcraft
  hearthstone diablo rainbowsix destiny terraria genshinimpact pokemon mariokart smashbros zelda halo fifa`.split(
    /\s+/,
  ),
);

/** Whether a password is among those that somebody who guesses tries first. */
export function isCommon(password: string): boolean {
  const word = password.toLowerCase();
  return COMMON.has(word) || GAME_WORDS.has(word.replaceAll(/\P{L}/gu, ''));
}
