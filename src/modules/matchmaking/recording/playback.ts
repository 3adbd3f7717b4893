import type { RuleSet } from '../../games';
import { Engine, type PoolProposal } from '../engine';
import { fromRecorded, type RecordedTicket } from './operations';

export interface Step {
  steps: number;
  match: PoolProposal;
}

/** An engine that is taken through recorded operations, and through its passes step by step. */
export class Playback {
  private readonly engine: Engine;
  private running: Generator<PoolProposal | null> | null = null;
  private steps = 0;

  constructor(seed: number) {
    this.engine = new Engine(seed);
  }

  setPool(key: string, ruleSet: RuleSet): void {
    this.engine.setPool(key, ruleSet);
  }

  add(key: string, ticket: RecordedTicket): void {
    this.engine.add(key, fromRecorded(ticket));
  }

  remove(id: string): void {
    this.engine.remove(id);
  }

  has(id: string): boolean {
    return this.engine.has(id);
  }

  begin(now: number, only: readonly string[] | null): void {
    this.steps = 0;
    this.running = this.engine.pass(now, only ? new Set(only) : undefined);
  }

  /** Advances the running pass, at most to so many steps. @returns the matches on the way */
  advanceTo(steps: number): Step[] {
    const found: Step[] = [];
    while (this.running && this.steps < steps) {
      const step = this.running.next();
      if (step.done) this.running = null;
      else {
        this.steps += 1;
        if (step.value) found.push({ steps: this.steps, match: step.value });
      }
    }
    return found;
  }

  /** Carries the pass through. @returns the matches on the way, and the steps that all of it took */
  finish(): { found: Step[]; steps: number } {
    const found = this.advanceTo(Infinity);
    return { found, steps: this.steps };
  }

  abandon(): void {
    this.running?.return(undefined);
    this.running = null;
  }
}
