import type { ZodType } from 'zod';
import { AppError, type FieldError } from '../core/errors';

const MAX_FAULTS = 50;
const MAX_LENGTH = 200;

/** Parses input or throws VALIDATION_FAILED that lists the faults with their places. `where` prefixes paths: body, query, … */
export function parseInput(schema: ZodType, value: unknown, where: string): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  // what a client sent comes back in paths and messages: not all of it
  const errors: FieldError[] = parsed.error.issues.slice(0, MAX_FAULTS).map((issue) => ({
    path: shortened([where, ...issue.path.map(String)].filter((part) => part !== '').join('.')),
    message: shortened(issue.message),
  }));
  const first = errors[0];
  const others = parsed.error.issues.length - 1;
  const more = others > 0 ? ` (and ${others} more)` : '';
  throw new AppError('VALIDATION_FAILED', `${first?.path ?? where}: ${first?.message ?? 'invalid'}${more}`, { errors });
}

const shortened = (text: string) => (text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text);
