import { BlvitError } from './blvit-error.js'

/** One of several runs that share the same pictures: number `index` of `count`, from 0 to `count - 1`. */
export interface Shard {
  readonly index: number
  readonly count: number
}

/** All of it. */
export const whole: Shard = { index: 0, count: 1 }

/** @throws BlvitError `BAD_OPTION` */
export function checkShard({ index, count }: Shard): void {
  if (!(Number.isSafeInteger(count) && count >= 1)) throw badShard(`${index}/${count}`, 'n is at least 1')
  if (Number.isSafeInteger(index) && index >= 0 && index < count) return
  throw badShard(`${index}/${count}`, `shards count from 0, so those of ${count} are ${namesOf(count)}`)
}

/** Reads `0/5`. @throws BlvitError `BAD_OPTION` */
export function parseShard(text: string): Shard {
  const [, index, count] = /^(\d{1,15})\/(\d{1,15})$/.exec(text.trim()) ?? []
  if (index === undefined || count === undefined) throw badShard(text, 'e.g. 0/5, the first of five')
  const shard = { index: Number(index), count: Number(count) }
  checkShard(shard)
  return shard
}

/** As {@link parseShard} reads it. */
export function shardText({ index, count }: Shard): string {
  return `${index}/${count}`
}

function namesOf(count: number): string {
  return count === 1 ? '0/1 alone' : `0/${count} to ${count - 1}/${count}`
}

function badShard(text: string, why: string): BlvitError {
  return new BlvitError('BAD_OPTION', `The shard is "${text}"; it must be i/n in whole numbers: ${why}.`, {
    shard: text,
  })
}

/** How pictures are dealt to shards: like cards, one after the other, or several at a time. */
export interface Deal {
  readonly shard: Shard
  /** Pictures that stay together. Default 1: no shard gets two more than another. */
  readonly hand?: number | undefined
}

/** Whether what stands at a place of the order of names is the shard's. */
export function isDealt(place: number, { shard, hand = 1 }: Deal): boolean {
  return Math.floor(place / hand) % shard.count === shard.index
}

/** How many of the first `total` places are the shard's. */
export function dealtCount(total: number, { shard: { index, count }, hand = 1 }: Deal): number {
  const round = hand * count
  const rest = (total % round) - index * hand
  return Math.floor(total / round) * hand + Math.min(hand, Math.max(0, rest))
}

/**
 * Deals a list in the order of its names, whatever order it has: every machine finds the same, however the names were
 * listed there.
 * @returns places in the list, ascending
 */
export function dealtByName(items: readonly { readonly name: string }[], deal: Deal): number[] {
  return orderByName(items)
    .filter((_, rank) => isDealt(rank, deal))
    .sort((a, b) => a - b)
}

/** Places in a list in the order of names, by code units: the same in every language. Of equal names the first first. */
export function orderByName(items: readonly { readonly name: string }[]): number[] {
  const names = items.map(({ name }) => name)
  return names.map((_, place) => place).sort((a, b) => compare(names[a] ?? '', names[b] ?? '') || a - b)
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
