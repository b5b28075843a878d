// The tune on a bench that nothing was made on yet: made by Lilt itself, a jig in G, with the seed 6.

export const EXAMPLE = `X:1
T:The New Munster
R:jig
M:6/8
L:1/8
K:G
|:g|dgb dBA|Bde dBG|dBd g2b|afd d2a|
geg fdg|agf efe|edB d2B|AGF D2:|
|:c|B3 dcB|cBc d3|g2f f2e|dBG GFG|
A2D DFA|c3 dcB|ABc def|g3 g2:|
`;
