/** The labels by which drivers decide what to send again: a write, or a whole transaction. */
import { isDoc, isNumber, toDouble, type Doc } from '../values/bson-types';

/** The node is going, gone or no primary any more: what was sent to it may be sent to the next one. */
const RETRYABLE = new Set([6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);
/** The transaction is over, or stood in the way of another one. */
const CONFLICTING = new Set([24, 112, 246, 251, 267]);
const ENDING = ['commitTransaction', 'abortTransaction'];

export function errorLabels(command: Doc, code: number | undefined, writeConcernError?: unknown): string[] {
  const inTransaction = command.autocommit === false;
  const ends = ENDING.includes(Object.keys(command)[0]!);
  const concernCode = isDoc(writeConcernError) && isNumber(writeConcernError.code) ? toDouble(writeConcernError.code) : undefined; // prettier-ignore
  const mayRetry = command.txnNumber !== undefined && (!inTransaction || ends);
  const labels: string[] = [];
  if (inTransaction && code !== undefined && (CONFLICTING.has(code) || (!ends && RETRYABLE.has(code))))
    labels.push('TransientTransactionError');
  if (mayRetry && [code, concernCode].some((each) => each !== undefined && RETRYABLE.has(each)))
    labels.push('RetryableWriteError');
  return labels;
}
