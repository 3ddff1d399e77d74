// Hypervolume in two objectives after each trial, against one reference point for all studies (Zitzler and Thiele 1999).

// `points`: [[a, b]] in the order of evaluation, both to be minimised; `reference`: [a, b]. Returns [[done, value]].
export function hypervolumeOver(points, reference) {
  let front = [];
  let value = 0;
  const history = [[0, 0]];
  points.forEach((point, index) => {
    if (!(point[0] < reference[0] && point[1] < reference[1])) return;
    if (front.some((other) => other[0] <= point[0] && other[1] <= point[1])) return;
    front = front.filter((other) => !(point[0] <= other[0] && point[1] <= other[1]));
    front.push(point);
    front.sort((a, b) => a[0] - b[0]);
    value = area(front, reference);
    history.push([index + 1, value]);
  });
  history.push([points.length, value]);
  return history;
}

function area(front, reference) {
  return front.reduce((sum, [a, b], index) => sum + ((front[index + 1]?.[0] ?? reference[0]) - a) * (reference[1] - b), 0);
}
