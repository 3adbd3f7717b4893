import type { ClassSpec } from './classes';
import { ANY_REGION, maskOf, withNearby } from './regions';
import { offerOf } from './roles';
import type { Rules } from './rules';
import { REGIONS, type Region, type Ticket } from './ticket';
import { limitAfter } from './widening';

/** What a ticket asks for, whenever it came: many tickets ask for the same, and share one profile. */
interface Profile {
  /** 0: none named. */
  named: number;
  regionPreference: Ticket['regionPreference'];
  languages: readonly string[];
  languagePreference: Ticket['languagePreference'];
  size: number;
  fewest: number;
  most: number;
  offers: readonly number[] | null;
  seated: readonly number[] | null;
}

/** Ways in which a profile can have relaxed, as bits. */
const STAGES = 8;
const UNKNOWN = -1;

type Latencies = Readonly<Partial<Record<string, number>>>;

export class Profiles {
  private readonly all: Profile[] = [];
  private readonly byKey = new Map<string, number>();
  /** The class of each profile at each stage. */
  private classes = new Int32Array(64 * STAGES).fill(UNKNOWN);

  constructor(
    private readonly rules: Rules,
    private readonly classOf: (spec: ClassSpec) => number,
  ) {}

  idOf(ticket: Ticket): number {
    const { rules } = this;
    const { groupSize, backfill, languages, regionPreference, languagePreference } = ticket;
    const named = maskOf(ticket.regions);
    const roles = rules.roles;
    const offers = roles && ticket.players.map((player) => offerOf(roles, player.roles)).sort((a, b) => a - b);
    const seated =
      backfill && Array.from({ length: rules.teamCount }, (_, t) => backfill.filter((n) => n === t).length);
    const fewest = Math.max(groupSize?.min ?? 0, rules.fewest);
    const most = Math.min(groupSize?.max ?? Infinity, rules.most);
    const numbers = `${named}${regionPreference}${ticket.players.length},${fewest},${most}${languagePreference}`;
    const key = `${numbers}${languages.join()}${offers === null ? '' : `;${offers.join()}`}${seated === null ? '' : `:${seated.join()}`}`;
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const size = ticket.players.length;
    this.all.push({
      named,
      regionPreference,
      languages: [...languages],
      languagePreference,
      size,
      fewest,
      most,
      offers,
      seated,
    });
    const id = this.all.length - 1;
    this.byKey.set(key, id);
    if (id * STAGES === this.classes.length) {
      const wider = new Int32Array(2 * this.classes.length).fill(UNKNOWN);
      wider.set(this.classes);
      this.classes = wider;
    }
    return id;
  }

  /** The class of a ticket with this profile after so much waiting. @param latencies where it measured some */
  classAt(id: number, waitedMs: number, latencies: Latencies | undefined): number {
    const profile = this.all[id] as Profile;
    const { rules } = this;
    const yieldsLanguage = profile.languagePreference === 'preferred' && waitedMs >= rules.languagesYieldAfter;
    if (rules.latency && latencies) return this.measured(profile, waitedMs, latencies, yieldsLanguage);
    const prefers = profile.regionPreference === 'preferred';
    const yieldsRegion = prefers && waitedMs >= rules.regionsYieldAfter;
    const goesNear = prefers && waitedMs >= rules.nearbyAfter;
    const stage = (yieldsLanguage ? 1 : 0) | (yieldsRegion ? 2 : 0) | (goesNear ? 4 : 0);
    const known = this.classes[id * STAGES + stage] as number;
    if (known !== UNKNOWN) return known;
    const cls = this.classOf(
      specOf(profile, {
        regions: profile.named === 0 ? ANY_REGION : goesNear ? withNearby(profile.named) : profile.named,
        needsRegion: profile.regionPreference !== 'any' && profile.named !== 0 && !yieldsRegion,
        yieldsLanguage,
      }),
    );
    this.classes[id * STAGES + stage] = cls;
    return cls;
  }

  /** Measured latencies beat names: only regions near enough count, and of these a strict ticket takes those that it named. */
  private measured(profile: Profile, waitedMs: number, latencies: Latencies, yieldsLanguage: boolean): number {
    const limit = this.rules.latency ? limitAfter(this.rules.latency, waitedMs) : Infinity;
    const near = maskOf(REGIONS.filter((region: Region) => (latencies[region] ?? Infinity) <= limit));
    const strict = profile.regionPreference === 'strict' && profile.named !== 0;
    return this.classOf(
      specOf(profile, { regions: strict ? near & profile.named : near, needsRegion: true, yieldsLanguage }),
    );
  }
}

function specOf(profile: Profile, now: { regions: number; needsRegion: boolean; yieldsLanguage: boolean }): ClassSpec {
  const { named, languages, languagePreference, size, fewest, most, offers, seated } = profile;
  return {
    regions: now.regions,
    needsRegion: now.needsRegion,
    named,
    languages,
    needsLanguage: languagePreference !== 'any' && languages.length > 0 && !now.yieldsLanguage,
    size,
    fewest,
    most,
    offers,
    seated,
  };
}
