import { z } from 'zod';

/** Pieces that most routes share. All objects in requests are strict: an unknown field is an error, not a surprise. */

export const objectId = z
  .string()
  .regex(/^[0-9a-f]{24}$/, 'must be an id of 24 lower-case hexadecimal digits')
  .meta({ id: 'Id', examples: ['65a1f0c2e4b0a1b2c3d4e5f6'] });

export const timestamp = z.iso.datetime().meta({ id: 'Timestamp', examples: ['2026-01-01T12:00:00.000Z'] });

export const limitParam = z.coerce.number().int().min(1).max(100).default(20);
export const cursorParam = z.string().max(512).optional();

/** Query of a list: `limit`, `cursor` and the filters of the route. */
export const listQuery = <Shape extends z.ZodRawShape>(filters: Shape) =>
  z.strictObject({ limit: limitParam, cursor: cursorParam, ...filters });

export const page = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

/** Text people type: trimmed, without control characters, `min`-`max` characters. */
export const text = (min: number, max: number) =>
  z
    .string()
    .trim()
    .min(min)
    .max(max)
    // eslint-disable-next-line no-control-regex
    .regex(/^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$/, 'must not hold control characters')
    .refine((value) => !/\p{Surrogate}/u.test(value), 'must not hold half a character (a lone surrogate)');

export const languageTag = z
  .string()
  .max(35)
  .regex(/^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i, 'must be a BCP 47 tag such as en or pt-BR');

export const idParams = z.strictObject({ id: objectId });
