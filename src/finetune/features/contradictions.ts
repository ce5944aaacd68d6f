import type { Failure, FeaturePicture } from './collect.js'

/**
 * Sorts out pictures that are there in two classes: nobody could learn from them, nor say whether an answer is right.
 * @returns those that are left, and a complaint about each of the others
 */
export function withoutContradictions(
  pictures: readonly FeaturePicture[],
  classes: readonly string[],
): { readonly pictures: readonly FeaturePicture[]; readonly failures: readonly Failure[] } {
  const same = new Map<string, FeaturePicture[]>()
  for (const picture of pictures) {
    const others = same.get(picture.hash)
    if (others) others.push(picture)
    else same.set(picture.hash, [picture])
  }
  const key = ({ labels }: FeaturePicture) => [...labels].sort((a, b) => a - b).join()
  const failures = [...same.values()].flatMap((copies): Failure[] => {
    const first = copies[0]
    const other = first && copies.find((copy) => key(copy) !== key(first))
    if (!first || !other) return []
    const named = ({ labels }: FeaturePicture) =>
      labels.map((label) => classes[label]).join(', ') || 'no class'
    const what = `the same picture in ${named(first)} (${first.name}) and in ${named(other)} (${other.name})`
    return copies.map(({ name }) => ({
      name,
      code: 'BAD_DATA',
      message: `${name} is ${what}: none of its copies is learned from. Keep it in one place.`,
    }))
  })
  const bad = new Set(failures.map(({ name }) => name))
  return { pictures: pictures.filter(({ name }) => !bad.has(name)), failures }
}
