import type { Region } from './engine';
import type { TicketRow } from './matchmaking.models';
import { primaryLanguage } from './matchmaking.policy';

/** What a ticket asks of those whom it is matched with. */
export type WishField =
  | 'groupSize'
  | 'regions'
  | 'regionPreference'
  | 'languages'
  | 'languagePreference'
  | 'skillPreference'
  | 'roles'
  | 'latencies';
type Wishes = Pick<TicketRow, WishField>;
type Preference = TicketRow['regionPreference'];

const STRICTEST: readonly Preference[] = ['strict', 'preferred', 'any'];
const strictest = (preferences: readonly Preference[]): Preference =>
  STRICTEST.find((preference) => preferences.includes(preference)) ?? 'any';

/**
 * What several tickets that are in one match ask of whoever joins it: all of what each of them asked. Pure.
 * @param region where the match is played, which is what is left of their regions
 */
export function sharedWishes(asked: readonly Wishes[], region: Region | null): Wishes {
  const sizes = asked.flatMap((row) => row.groupSize ?? []);
  const particular = asked.filter((row) => row.languagePreference !== 'any' && row.languages.length > 0);
  const spoken = particular.map((row) => new Set(row.languages.map(primaryLanguage)));
  const languages = (particular[0]?.languages ?? []).filter((language) =>
    spoken.every((known) => known.has(primaryLanguage(language))),
  );
  return {
    groupSize:
      sizes.length === 0
        ? null
        : { min: Math.max(...sizes.map((size) => size.min)), max: Math.min(...sizes.map((size) => size.max)) },
    regions: region === null ? [] : [region],
    regionPreference: strictest(asked.map((row) => row.regionPreference)),
    languages,
    languagePreference: languages.length === 0 ? 'any' : strictest(particular.map((row) => row.languagePreference)),
    skillPreference: asked.every((row) => row.skillPreference === 'any') ? 'any' : 'similar',
    roles: [],
    latencies: worstLatencies(asked.map((row) => row.latencies).filter((own) => Object.keys(own).length > 0)),
  };
}

/** Of the regions that all of them have measured, the worst of their round trips. */
function worstLatencies(measured: readonly Wishes['latencies'][]): Wishes['latencies'] {
  const [first, ...others] = measured;
  const worst: Wishes['latencies'] = {};
  for (const region of Object.keys(first ?? {}) as Region[]) {
    const all = [first, ...others].map((own) => own?.[region]);
    if (all.every((ms) => ms !== undefined)) worst[region] = Math.max(...all);
  }
  return worst;
}
