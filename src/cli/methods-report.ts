import type { MethodList, SavingFamily } from '../tasks/list-methods.js'

type Reduction = MethodList['reductions'][number]

/** What is said of training, in words. */
const trainings = {
  none: 'needs no training',
  better: 'works without training, better with it',
  required: 'needs a model that was trained with it',
} as const satisfies Record<Reduction['training'], string>

const needs = {
  classToken: 'a class token',
  notDistilled: 'no distillation token',
} as const satisfies Record<Reduction['needs'][number], string>

/** `; needs a class token and no distillation token`, or nothing. */
function needsOf(reduction: Reduction): string {
  const all = reduction.needs.map((need) => needs[need])
  return all.length === 0 ? '' : `; the model must have ${all.join(' and ')}`
}

/** `keep, fuse=true, blocks` */
function parametersOf({ parameters }: Reduction): string {
  return parameters
    .map((each) => (each.default === null ? each.name : `${each.name}=${each.default}`))
    .join(', ')
}

const indent = '    '

function shortText(reduction: Reduction): string {
  const { example, about, training, paper } = reduction
  const lines = [
    `${about}.`,
    `${trainings[training]}${needsOf(reduction)}`,
    `parameters: ${parametersOf(reduction)}`,
    `paper: ${paper}`,
  ]
  return [`  ${example}`, ...lines.map((line) => `${indent}${line}`)].join('\n')
}

function familyText({ name, title, about, paper, presets, example }: SavingFamily): string {
  const lines = [
    `${about}.`,
    `configurations: ${presets.join(', ')}`,
    `example: ${example}`,
    `paper: ${paper}`,
  ]
  return [`  ${name}, ${title}`, ...lines.map((line) => `${indent}${line}`)].join('\n')
}

/** Every method. */
export function methodsText({ reductions, families }: MethodList): string {
  return [
    'For --reduce, on plain ViTs and DeiTs (blvit methods <name> explains the parameters)',
    ...reductions.map(shortText),
    'Families of models that save work in their own way, for --model and blvit init instead of --reduce',
    ...families.map(familyText),
  ].join('\n\n')
}

/** One method in detail. */
export function methodText(method: Reduction | SavingFamily): string {
  if (!('parameters' in method)) return familyText(method)
  const { name, example, about, training, parameters, paper } = method
  const lines = parameters.flatMap(({ default: usual, ...parameter }, i) => [
    `  ${parameter.name}: ${parameter.about}`,
    `${indent}${parameter.values}${usual === null ? (i === 0 ? '; must be given' : '') : ` (default: ${usual})`}`,
  ])
  return [
    `${name}: ${about}.`,
    `${trainings[training]}${needsOf(method)}`,
    '',
    ...lines,
    '',
    `example: blvit classify photo.jpg -m vit-tiny --reduce ${example}`,
    `paper: ${paper}`,
  ].join('\n')
}
