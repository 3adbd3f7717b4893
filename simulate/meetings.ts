/** Who met whom, for the rule that avoids recent company. */
export class Meetings {
  private readonly byUser = new Map<string, { at: number; others: readonly string[] }[]>();

  /** @param memoryMs for how long a meeting counts */
  constructor(private readonly memoryMs: number) {}

  note(userIds: readonly string[], at: number): void {
    if (this.memoryMs === 0) return;
    for (const id of userIds) this.byUser.set(id, [...this.recent(id, at), { at, others: userIds }]);
  }

  /** Whom these have met lately, themselves left out. */
  of(userIds: readonly string[], now: number): ReadonlySet<string> {
    const met = new Set(userIds.flatMap((id) => this.recent(id, now).flatMap(({ others }) => others)));
    for (const id of userIds) met.delete(id);
    return met;
  }

  private recent(id: string, now: number) {
    return (this.byUser.get(id) ?? []).filter(({ at }) => at > now - this.memoryMs);
  }
}
