import { ownClasses } from '../data/open-data-set.js'
import { areNumbered } from '../model-store/labels.js'
import type { ModelFiles } from '../model-store/model-files.js'

/**
 * A model whose classes are only numbered, as `blvit init` makes it, with the names that the data has for as many: it learns
 * what they mean from there.
 * @returns the model itself where it has names, or the data has none or another number of classes
 * @throws BlvitError `NOT_FOUND`, `BAD_DATA`
 */
export async function withNamesOfData(student: ModelFiles, data: readonly string[]): Promise<ModelFiles> {
  if (!areNumbered(student.labels)) return student
  const { labels, several } = await ownClasses(data)
  const areNames = labels.some((label) => !/^\d+$/.test(label))
  return areNames && several === undefined && labels.length === student.labels.length
    ? { ...student, labels }
    : student
}
