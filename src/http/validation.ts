import type { ZodType } from 'zod';
import { AppError, type FieldError } from '../core/errors';

/** Parses input or throws VALIDATION_FAILED that lists every fault with its place. `where` prefixes paths: body, query, … */
export function parseInput(schema: ZodType, value: unknown, where: string): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors: FieldError[] = parsed.error.issues.map((issue) => ({
    path: [where, ...issue.path.map(String)].filter((part) => part !== '').join('.'),
    message: issue.message,
  }));
  const first = errors[0];
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  throw new AppError('VALIDATION_FAILED', `${first?.path ?? where}: ${first?.message ?? 'invalid'}${more}`, { errors });
}
