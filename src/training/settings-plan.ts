import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { checkOptions } from '../base/check-options.js'
import type { Architecture, SettingValue } from '../models/architecture.js'
import { checkSetting, settingBetween } from '../settings/resolve.js'
import {
  type RunSettingName,
  type RunSettings,
  runSettingKeys,
  runSettingNames,
  type SettingName,
  type Settings,
  settingOf,
  type ValueOf,
} from '../settings/settings.js'

/** From one value to another while a stage goes on; before and after it stands still. */
export interface Way<Value> {
  readonly from: Value
  readonly to: Value
  /** Evenly, or as EViT does: slowly at both ends, ½(1 − cos πx). Default linear. */
  readonly shape?: 'linear' | 'cosine'
  /** Where it begins, as a share of the stage's steps. Default 0. */
  readonly start?: number
  /** Where it arrives. Default: with the last step. */
  readonly end?: number
}

/** A value for a whole stage; several, of which each step draws one, so that one model serves them all; or a way. */
export type Plan<Value> = Value | readonly Value[] | Way<Value>

const value = z.union([z.number(), z.string()])
const share = z.number().min(0).max(1)
const planSchema = z.union([
  value,
  z.array(value).min(1),
  z
    .strictObject({
      from: value,
      to: value,
      shape: z.enum(['linear', 'cosine']).exactOptional(),
      start: share.exactOptional(),
      end: share.exactOptional(),
    })
    .refine(({ start = 0, end = 1 }) => start < end, 'its start must lie before its end'),
])

type AnyPlan = z.infer<typeof planSchema>

function isWay(plan: AnyPlan): plan is Way<SettingValue> {
  return typeof plan === 'object' && 'from' in plan
}

/** The plan with each of its values as the setting reads it. @throws BlvitError `BAD_OPTION` */
function checked(name: SettingName, plan: AnyPlan): AnyPlan {
  const check = (one: SettingValue) => checkSetting(name, one)
  if (isWay(plan)) return { ...plan, from: check(plan.from), to: check(plan.to) }
  return typeof plan === 'object' ? plan.map(check) : check(plan)
}

function schemaOf(name: SettingName) {
  return planSchema.transform((plan, context) => {
    try {
      return checked(name, plan)
    } catch (thrown) {
      if (!(thrown instanceof BlvitError)) throw thrown
      context.addIssue({ code: 'custom', message: thrown.message })
      return z.NEVER
    }
  })
}

type PlanSchemas = {
  readonly [Name in RunSettingName]: z.ZodExactOptional<z.ZodType<Plan<ValueOf<Name>>, Plan<ValueOf<Name>>>>
}

/**
 * What a recipe says of the settings that its student is trained at, under their names. Default: the student's own. A
 * setting may be passed over for a student that has no use for it.
 */
export const trainedSettings = Object.fromEntries(
  runSettingNames.map((name) => [name, schemaOf(name).exactOptional()]),
  // which value belongs to which name is checked when it is read
) as unknown as PlanSchemas

/** What recipes say of settings. */
export type SettingPlans = { readonly [Name in RunSettingName]?: Plan<ValueOf<Name>> }

/** Settings as plans: of several each step draws one. @throws BlvitError `BAD_OPTION` for what a training can't set */
export function plansOf(given: readonly RunSettings[]): SettingPlans {
  for (const settings of given) checkOptions('setting of a training', settings, runSettingKeys)
  const plans = runSettingNames.flatMap((name) => {
    const values = given.flatMap((settings) => settings[name] ?? [])
    return values.length === 0 ? [] : [[name, values.length === 1 ? values[0] : values]]
  })
  return Object.fromEntries(plans)
}

/** A step, and a number for it in [0, 1) that was drawn at random. */
export interface StepPlace {
  /** Counts from 0. */
  readonly step: number
  readonly steps: number
  readonly draw: number
}

/** The settings that a student is trained at. */
export interface SettingsPlan {
  /** Those of a step. @throws BlvitError `BAD_OPTION` for a way that there isn't */
  at(place: StepPlace): Settings
  /** All that it comes to; of a way the two ends. */
  readonly ends: readonly Settings[]
  /** What any step may draw, where nothing is on its way yet. */
  readonly drawn: readonly Settings[]
  /** What the student then is good for: all that is drawn, where nothing is on its way any more. */
  readonly goals: readonly Settings[]
}

/** How far a way has come, 0 … 1. */
function progress(
  { shape = 'linear', start = 0, end }: Way<SettingValue>,
  { step, steps }: StepPlace,
): number {
  const first = start * steps
  const last = end === undefined ? steps - 1 : end * steps
  const evenly = last > first ? Math.min(1, Math.max(0, (step - first) / (last - first))) : 0
  return shape === 'linear' ? evenly : (1 - Math.cos(Math.PI * evenly)) / 2
}

function valueAt(name: SettingName, plan: AnyPlan, place: StepPlace, student: Architecture): SettingValue {
  if (isWay(plan)) {
    const { from, to } = plan
    return settingBetween(name, { from, to, share: progress(plan, place) }, student)
  }
  if (typeof plan !== 'object') return plan
  return plan[Math.floor(place.draw * plan.length)] ?? Number.NaN
}

/** Every choice of one value a setting. */
function choices(
  plans: readonly (readonly [SettingName, AnyPlan])[],
  valuesOf: (plan: AnyPlan) => readonly SettingValue[],
): readonly Settings[] {
  return plans.reduce<readonly Settings[]>(
    (all, [name, plan]) => all.flatMap((some) => valuesOf(plan).map((one) => ({ ...some, [name]: one }))),
    [{}],
  )
}

/** What a recipe says, step by step, for a student. */
export function settingsPlan(said: SettingPlans, student: Architecture): SettingsPlan {
  const plans = runSettingNames.flatMap((name) => {
    const plan: AnyPlan | undefined = said[name] as AnyPlan | undefined
    return plan === undefined || settingOf(name).isPassedOver?.(student) ? [] : [[name, plan] as const]
  })
  const valuesOr = (ofWay: (way: Way<SettingValue>) => readonly SettingValue[]) => (plan: AnyPlan) =>
    isWay(plan) ? ofWay(plan) : typeof plan === 'object' ? plan : [plan]
  return {
    at: (place) =>
      Object.fromEntries(plans.map(([name, plan]) => [name, valueAt(name, plan, place, student)])),
    ends: choices(
      plans,
      valuesOr(({ from, to }) => [from, to]),
    ),
    drawn: choices(
      plans,
      valuesOr(({ from }) => [from]),
    ),
    goals: choices(
      plans,
      valuesOr(({ to }) => [to]),
    ),
  }
}
