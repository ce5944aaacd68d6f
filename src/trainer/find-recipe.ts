import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BlvitError, messageOf } from '../base/blvit-error.js'
import { parseJson, parseWith } from '../base/parse.js'
import { didYouMean } from '../base/suggest.js'
import { recipes } from '../recipes/index.js'
import { adjusted, type DecidedRecipe, type RecipeChanges, recipeSchema } from '../recipes/recipe.js'

/** @throws BlvitError `BAD_CONFIG` if the file can't be run */
async function exportsOf(path: string): Promise<unknown> {
  const { createJiti } = await import('jiti')
  try {
    return await createJiti(pathToFileURL(path).href).import(path, { default: true })
  } catch (cause) {
    throw new BlvitError('BAD_CONFIG', `${path} can't be run: ${messageOf(cause)}.`, {}, { cause })
  }
}

/** @throws BlvitError `BAD_CONFIG` */
async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new BlvitError('BAD_CONFIG', `${path} can't be read: ${messageOf(cause)}.`, {}, { cause })
  }
}

/**
 * The recipe that a user names: one of ours, or a file: TypeScript or JavaScript with a default export, or JSON.
 * @throws BlvitError `NOT_FOUND` with a suggestion, `BAD_CONFIG` naming every wrong key
 */
export async function findRecipe(reference: string, changes: RecipeChanges = {}): Promise<DecidedRecipe> {
  return adjusted(await readRecipe(reference), changes)
}

async function readRecipe(reference: string): Promise<DecidedRecipe> {
  const own = Object.hasOwn(recipes, reference) ? recipes[reference] : undefined
  if (own) return parseWith(recipeSchema, own, `The recipe ${reference}`)
  const path = resolve(reference)
  if (!existsSync(path)) {
    const known = Object.keys(recipes)
    throw new BlvitError(
      'NOT_FOUND',
      `There is no recipe "${reference}".${didYouMean(reference, known)} Known: ${known.join(', ')}; or give a file.`,
    )
  }
  const isJson = extname(path) === '.json'
  const given = isJson ? parseJson(await textOf(path), path) : await exportsOf(path)
  return parseWith(recipeSchema, given, path)
}
