/** Why an answer is rejected: the category's name in the API, and what reviewer and worker read. */
export const CATEGORIES = [
  ['wrong', 'The answer is wrong'], ['incomplete', 'Something is missing'], ['off_task', 'Not what was asked'],
  ['duplicate', 'The same answer again'], ['spam', 'Not a real answer'], ['other', 'Something else'],
]

/** A category in words; undefined where there is none. */
export const categoryWords = (category) => CATEGORIES.find(([value]) => value === category)?.[1]
