/** The environment as commands hand it down: variables by name. Reads none itself. */

export type Environment = { readonly [name: string]: string | undefined };
