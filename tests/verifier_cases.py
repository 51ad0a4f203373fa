r"""Answers and golds by category, written for this project. A line is `answer == gold` (must be accepted) or
`answer =/= gold` (must be rejected); both are LaTeX or plain text as they stand inside a box.
"""

CASES = r"""
[integers]
\boxed{7} == 7
007 == 7
$-5$ == -5
1.0 == 1
10^2 == 100
\frac{10}{2} == 5
2+2 =/= 5
0.0 == 0
\text{The answer is } 5 == 5
5\quad == 5
5\\ == 5
\,5 == 5
5; == 5
-(-5) == 5
\lvert -3 \rvert == 3
\left| -3 \right| == 3
3^{4} == 81
\sqrt{49} == 7
12! =/= 12
1+1 == 2
123456789 == 123,456,789
11 =/= 1,1
\gcd(12, 18) == 6
7 \mod 4 =/= 7
42 == 42
042 == 42
+7 == 7
-7 == -7
−7 == -7
- 7 == -7
42. == 42
42.0 == 42
27 == 27.0
$42$ == 42
\(42\) == 42
 42  == 42
\text{42} == 42
\mathbf{42} == 42
**42** == 42
{42} == 42
(42) == 42
2^{10} == 1024
2^10 == 1024
5! == 120
-0 == 0
１２ == 12
100000000000000000001 =/= 100000000000000000000
42 =/= 43
7 =/= -7
420 =/= 42
4 =/= 42
1000000 =/= 1000001
3.0001 =/= 3
2.9999999 =/= 3
99999 =/= 100000
0 =/= 0.0000001
12 =/= 21
1e-10 =/= 0
2^{10} =/= 2^{11}
x =/= 5
5x =/= 5
\text{five} == 5
five == 5
5+3 == 8
2 \cdot 3 \cdot 7 == 42
\lfloor 3.7 \rfloor == 3
|-5| == 5
\binom{5}{2} == 10
\dbinom{6}{3} == 20
6 / 2 == 3
\frac{84}{2} == 42
\sqrt{1764} == 42
10^{12} == 1000000000000
10^{12} =/= 10^{13}

[decimals]
.75 == 3/4
0.75 == \frac34
3.0 == 3
-.5 == -\frac{1}{2}
1.33333 == \frac{4}{3}
0.0833333 == 1/12
12.3 =/= 12.4
2.449 =/= \sqrt{6}
2.44949 == \sqrt{6}
0.1 + 0.2 == 0.3
1.10 == 1.1
100.5 == 100.50
0.9 =/= 1
1.000001 =/= 1
0.0100 == 0.01
9.99 =/= 10
0.67 =/= 0.66
24.310 == 24.31
+0.5 == 0.5
\approx 3.14159 == 3.14159
3.14159... == \pi
0.5 == .5
.5 == 0.50
0.50 == 0.5
-0.25 == -.25
3.140 == 3.14
1.5 == \frac{3}{2}
0.333333 == \frac{1}{3}
0.3333333333 == 1/3
0.6667 == \frac{2}{3}
0.66667 == 2/3
0.142857 == \frac{1}{7}
0.\overline{3} == \frac{1}{3}
0.\overline{142857} == \frac17
0.1\overline{6} == \frac16
0.\dot{3} == 1/3
0.(3) == 1/3
0.333... == \frac13
0.\bar{3} == \frac{1}{3}
1.4142 == \sqrt{2}
3.14159 == \pi
2.71828 == e
1.41421356 == \sqrt{2}
0.785398 == \frac{\pi}{4}
3.1415926 == \pi
0.33 =/= \frac{1}{3}
0.3 =/= \frac{1}{3}
0.67 =/= \frac{2}{3}
3.14 =/= \pi
1.41 =/= \sqrt{2}
3.14 =/= 3.15
0.5 =/= 0.05
0.1 =/= 0.10001
0.12345 =/= 0.12346
2.5 =/= 25
1.5 =/= 15
0.0001 =/= 0.0002
1e-9 =/= 2e-9
0.000000001 =/= 0.000000002
-0.5 =/= 0.5
0.25 =/= .26
12.5 =/= 12.05
4.5 == 4.50
0.999 =/= 1
0,5 == 0.5

[fractions]
\frac{a}{b} == a/b
\frac{x+1}{2} == (x+1)/2
\frac{x+1}{2} =/= x+1/2
-\dfrac{5}{3} == -5/3
\dfrac{-5}{3} == -\frac{5}{3}
\frac{5}{-3} == -\frac53
\frac{3}{2}\pi == \frac{3\pi}{2}
3\pi/2 == \frac{3\pi}{2}
1/3 =/= 1/4
(3)/(4) == 3/4
\frac{\sqrt{2}}{2} == \frac{1}{\sqrt2}
\frac{{1}}{{2}} == 1/2
\frac{1}{2} + \frac{1}{3} == 5/6
\frac {1} {2} == \frac{1}{2}
\frac{1}{\frac{1}{2}} == 2
\frac{2x}{4} == \frac{x}{2}
\frac{110}{3} == 36\frac{2}{3}
\frac{7}{2} =/= \frac{2}{7}
1/2/2 == 1/4
\frac{11}{36}. == 11/36
\left(\frac{2}{3}\right)^2 == \frac49
\frac{4}{9}^{} =/= 2
\frac{1}{2} == 1/2
\dfrac{1}{2} == \frac{1}{2}
\tfrac{1}{2} == \frac{1}{2}
\cfrac{3}{4} == \frac{3}{4}
\frac12 == \frac{1}{2}
\frac1{2} == \frac{1}{2}
\frac{1}2 == \frac{1}{2}
\frac 59 == \frac{5}{9}
\frac 12 == 0.5
\frac{270}7 == \frac{270}{7}
½ == \frac{1}{2}
3/4 == ¾
-\frac{1}{2} == \frac{-1}{2}
\frac{1}{-2} == -\frac{1}{2}
-1/2 == -\frac12
\frac{2}{4} == \frac{1}{2}
6/8 == 3/4
\frac{-3}{-4} == \frac34
{1 \over 2} == \frac12
1 \over 2 == \frac12
\frac{3}{1} == 3
1⁄2 == 1/2
1 / 2 == \frac{1}{2}
(1/2) == \frac{1}{2}
\left(\frac{1}{2}\right) == \frac{1}{2}
\frac{\frac{1}{2}}{3} == \frac{1}{6}
\frac{1}{3}+\frac{1}{6} == \frac{1}{2}
\frac{10}{3} == 3.33333
7\div 2 == \frac{7}{2}
\frac{1,000}{3} == \frac{1000}{3}
\frac{ 3 }{ 4 } == \frac{3}{4}
\displaystyle\frac{3}{4} == \frac34
\frac{1}{2} =/= \frac{1}{3}
\frac{1}{2} =/= \frac{2}{1}
1/2 =/= 2
\frac{1}{2} =/= -\frac{1}{2}
\frac{12}{5} =/= \frac{1}{25}
3/4 =/= 4/3
\frac{1}{2} =/= 12
\frac{17}{3} =/= 17
\frac{99}{100} =/= \frac{100}{101}
\frac{1}{0} =/= 1
\frac{355}{113} =/= \pi

[mixed numbers]
3\frac{1}{2} == \frac{7}{2}
3 \frac{1}{2} == 3.5
3\tfrac12 == 3.5
3 1/2 == 7/2
3 1/2 == 3\frac{1}{2}
3½ == 3.5
-3\frac{1}{2} == -3.5
-2\frac{3}{4} == -\frac{11}{4}
10\frac{1}{12} == \frac{121}{12}
1 2/3 == \frac{5}{3}
11\frac{2}{7} == \frac{79}{7}
3\frac{1}{2} =/= \frac{3}{2}
2\frac{1}{2} =/= 1
3 1/2 =/= \frac{31}{2}
31/2 =/= 3\frac{1}{2}
3\frac{1}{2} =/= 3
1\frac{1}{3} =/= \frac{1}{3}
3 \cdot \frac{1}{2} == \frac{3}{2}
3\cdot\frac{1}{2} =/= \frac{7}{2}
4\frac{1}{5} =/= 4.15
-3\frac{1}{2} =/= -2.5

[percent]
25\% == \frac14
25\% == 25
25 % == 25\%
0.25 == 25\%
25 =/= 0.25
75\% of students =/= 25\%
1\% == 0.01
0.5\% == 0.005
12\frac12\% == 12.5\%
200\% == 2
98.6\% =/= 98.7\%
-10\% == -10\%
10\% =/= 100
\frac{1}{4} =/= 25
50\% == 50\%
50% == 50\%
50 \% == 50\%
50\% == 0.5
0.5 == 50\%
50\% == \frac{1}{2}
\frac{1}{2} == 50\%
50 == 50\%
50\% == 50
50 percent == 50\%
50\text{ percent} == 50\%
12.5\% == 12.5
12.5\% == 0.125
33\frac{1}{3}\% == \frac{1}{3}
100\% == 1
3.5\% == 0.035
5 =/= 0.05
0.05 =/= 5
50 =/= 0.5
0.5 =/= 50
50\% =/= 5
50\% =/= 0.05
50\% =/= 0.5\%
150\% =/= 50\%
5000 =/= 50\%
20\% =/= 25\%
25 \% =/= 2500
0.25 =/= 25

[units]
3\text{ hours} == 3 hours
3 \mathrm{\ cm} == 3
3\mathrm{~kg} == 3 \text{ kg}
3 \, \text{m}^3 == 3
16\text{ cm}^2 == 16
16\text{ cm}^2 == 16\ \text{cm}^{2}
2.5 \text{ million} == 2.5 \text{ million}
90^{\circ} == 90
90^\circ == 90^{\circ}
\angle A = 90^\circ == 90
1.6 \mathrm{~cm} == 1.6
7 \text{ units}^2 == 7
6 ft 2 in =/= 6 ft 3 in
5 \text{ cm} =/= 5 \text{ km}
3 \text{ m/s} == 3 \text{ meters per second}
20 \text{ mph} == 20\text{ miles per hour}
5\sqrt{3}\text{ m} == 5\sqrt{3}
4\pi \text{ cm}^2 == 4\pi
120 degrees == 120
45°C == 45
2 \text{ in} == 2 \text{ inches}
100 years == 100
12 people == 12
3 dozen =/= 3
8 \text{ sq ft} == 8
45 \text{ minutes} == 0.75 hours
60 seconds == 1 minute
2 km == 2000 m
14 \mathrm{~ft} =/= 15 \mathrm{~ft}
5 cm == 5\text{ cm}
5\text{ cm} == 5
5 == 5\text{ cm}
5\,\text{cm} == 5 \mathrm{~cm}
5\mathrm{cm} == 5
10 \text{ miles} == 10
180\text{ miles} == 180
\frac{270}{7} == \frac{270}7\text{ degrees}
9 == 9\text{ values}
9\text{ values} == 9
27 \mathrm{~min} == 27
30^\circ == 30
30 == 30^{\circ}
30° == 30^\circ
30 degrees == 30^\circ
30\text{ degrees} == 30^\circ
30^\circ == 30 \text{ degrees}
20 cm^2 == 20
20 \text{ cm}^2 == 20 cm^{2}
20 \text{ square centimeters} == 20 \text{ cm}^2
12 square inches == 12
60 \text{ km/h} == 60
60 km/h == 60 \text{ kilometers per hour}
104.32 \mathrm{mi} / \mathrm{hr} == 104.32
5 meters == 5 m
5\text{ m} == 5 \text{ meters}
2 hours == 2
2 hours == 120 minutes
500 cm == 5 m
1 kg == 1000 g
3 feet == 36 inches
10\text{ inches} == 10 in
25 apples == 25
25 \text{ apples} == 25\text{ apples}
45\sqrt{2} \text{ cm} == 45\sqrt{2}
2\pi \text{ units} == 2\pi
12 \text{ sq. units} == 12
12\text{ square units} == 12
15 \text{ years old} == 15
1950^\circ C == 1950
7.5 \text{ hours} == 7.5
14 \text{ days} == 14
6 ft^3 == 6
4 cubic feet == 4
9.8 \text{ m/s}^2 == 9.8
100 mL == 100 \text{ ml}
72 mph == 72
5 cm =/= 6 cm
5 cm =/= 5 m
5 cm^2 =/= 5 cm
5 kg =/= 5 g
10 hours =/= 10 minutes
30^\circ =/= 60^\circ
2 hours =/= 100 minutes
500 cm =/= 6
10 miles =/= 10 km
5m =/= 5
5x =/= 5 \text{ cm}
60^\circ == \frac{\pi}{3}

[currency]
\$12.50 == 12.5
\$ 1,250 == 1250
12.50 dollars == \$12.50
\$0.75 == 75 cents
1.5 million dollars == 1.5 million
\$12 million =/= \$12
$10 == \$10
10 USD == 10
\textdollar 5 == 5
Rs. 500 == 500
\$x =/= 5
\$5 == 5
5 == \$5
\$32,348 == 32348
\$32,\!348 == \$32348
\$ 5 == 5
$5 == 5
\$5.00 == 5
\$5.50 == 5.5
5 dollars == \$5
5 \text{ dollars} == 5
18.90 == \$18.90
\$18.9 == 18.90
\$1,000.00 == 1000
50 cents == 50
50 cents == \$0.50
\text{\$}5 == 5
€5 == 5
£20 == 20
-\$5 == -5
USD 20 == 20
\$5 =/= \$6
\$5 =/= 50
\$18.90 =/= 18.09
\$1,000 =/= 1
\$1.50 =/= 150

[thousands separators]
12{,}345 == 12345
12\!,\!345 == 12345
100,000 == 100000
100 000 == 100000
1,000.5 == 1000.5
1,000 =/= 1000000
5,000 == 5000
1,2345 =/= 12345
\text{10,080} == 10080
10{,}080 == 10,080
3,4 =/= 34
1,234 == 1234
1234 == 1,234
1,234,567 == 1234567
1{,}234 == 1234
1\,234 == 1234
1\,234\,567 == 1234567
1 234 567 == 1234567
11,\! 111,\! 111,\! 100 == 11111111100
12,345.67 == 12345.67
-1,234 == -1234
10,000 == 10^4
1,000,000 == 10^{6}
\text{1,234} == 1234
1,234 == 1,\!234
1,234 =/= 1
1,234 =/= 234
1,234 =/= 1235
1,234 =/= 12.34
12,34 =/= 1234
1,23 =/= 123
1,234 =/= 1.234
10,000 =/= 1000

[scientific notation]
2e-5 == 0.00002
2 \times 10^{-5} == 2e-5
2 \times 10^{-5} =/= 2 \times 10^{5}
3.0 \times 10^{8} == 3e8
6.67 \times 10^{-11} == 6.67e-11
1 \times 10^{6} == 1000000
10^{-19} =/= 10^{-18}
7.353e14 == 7.353 \times 10^{14}
5 x 10^3 == 5000
-2.5e-3 == -0.0025
1.23E+4 == 12300
9.27 \cdot 10^{5} == 927000
1.5e3 == 1500
1.5E3 == 1500
1.5 \times 10^3 == 1500
1.5 \times 10^{3} == 1.5e3
1.5 \cdot 10^{3} == 1500
1.5*10^3 == 1500
1.5 × 10^3 == 1500
1.5×10³ == 1500
3e8 == 3 \times 10^8
3.0e8 == 3 \times 10^{8}
2.19e6 == 2.19 \times 10^{6}
1.24e-8 == 1.24 \times 10^{-8}
4.5e33 == 4.5 \times 10^{33}
6.02 \times 10^{23} == 6.02e23
1e-3 == 0.001
10^{-3} == 0.001
-1.6e-19 == -1.6\times10^{-19}
1.60 \times 10^{-19} == 1.6e-19
5.89 \times 10^{-7} == 0.000000589
15e2 == 1.5e3
1.5e3 =/= 1.5e4
1.5e3 =/= 1.5
1.5 \times 10^3 =/= 1.5 \times 10^{-3}
1.2e-8 =/= 1.24e-8
1e-19 =/= 2e-19
6.02e23 =/= 6.03e23
3e8 =/= 38
2e5 =/= 10e

[sets]
\{ 2, 4, 6 \} == \{6,4,2\}
{1,2,3} == \{1,2,3\}
\{x, y\} == \{y, x\}
\left\{1, 2\right\} == 1, 2
x \in \{1, 2\} == \{1,2\}
\{1\} == \{1\}
\{\} == \emptyset
\{1,2\} \cup \{3\} == \{1,2,3\}
\{0\} \cup [1,2] == [1,2]\cup\{0\}
1, -1, i, -i == i,-i,1,-1
2, 2 == 2,2
\{\frac{1}{2},\frac{1}{3}\} == \{0.5, \frac13\}
1\text{ or }3 == 1,3
x = 2 \text{ or } 3 == 2, 3
x=-2, x=2 == \pm 2
\{2, 3, 5, 7\} =/= \{2, 3, 5\}
2,3 =/= 23
1;2;3 == 1,2,3
$1$, $2$ == 1,2
1, 2 and 4 == 4,2,1
-5 < x < 5 =/= \{-5,5\}
\text{{1,2}} == \{1,2\}
\{1,2,\ldots,10\} == \{1,2,\ldots,10\}
\{1,2,3\} == \{1,2,3\}
\{3,1,2\} == \{1,2,3\}
\{1, 2, 3\} == 1,2,3
1,2,3 == \{1,2,3\}
3, 2, 1 == 1,2,3
1 and 2 == 1,2
1 \text{ and } 2 == 2,1
1 or 2 == 1,2
1, 2, and 3 == 1,2,3
\{1,1,2\} == \{1,2\}
\left\{ \frac{1}{2}, 3 \right\} == \{3, 0.5\}
\{-1, \sqrt{2}\} == \{\sqrt2, -1\}
\emptyset == \varnothing
\emptyset == \{\}
∅ == \emptyset
\{ \} == \varnothing
\lbrace 1, 2 \rbrace == \{1,2\}
\{5\} == 5
\{a,b\} == \{b,a\}
\{(1,2),(3,4)\} == (3,4),(1,2)
(1,2),(3,4) == (3,4),(1,2)
(1,2) and (3,4) == (1,2),(3,4)
2 or -2 == $2$ or $-2$
-1,0,1 == 1,0,-1
27,54,108,135 == 135,108,54,27
\frac{1}{3},-2,5 == 5,-2,\frac13
\pm 2 == 2,-2
\pm 2 == \{-2, 2\}
1 \pm \sqrt{19} == 1+\sqrt{19}, 1-\sqrt{19}
1-\sqrt{19},1+\sqrt{19} == 1 \pm \sqrt{19}
x=1,2 == 1,2
x=1 \text{ or } x=2 == 1,2
x = 1, x = 2 == \{1, 2\}
x = \pm 3 == 3,-3
x=-1,3 == x=3 \text{ or } x=-1
2;3 == 2,3
\{1,2\} =/= \{1,3\}
\{1,2\} =/= \{1,2,3\}
\{1,2,3\} =/= \{1,2\}
1,2 =/= 1,3
1,2,3 =/= 1,2
1 =/= 1,2
1,2 =/= 1
1,2 =/= 12
(1,2),(3,4) =/= (2,1),(3,4)
\{(1,2)\} =/= \{(2,1)\}
\{1,2\} =/= (1,2)
(1,2) =/= \{1,2\}
\emptyset =/= \{0\}
\emptyset =/= 0
\pm 2 =/= 2
2 =/= \pm 2
x=1 =/= 1,2
1,2 =/= [1,2]
\{1,2\} =/= [1,2]
\{-1,1\} =/= \{1\}

[intervals]
(-\infty, -1) \cup (1, \infty) == (1,\infty)\cup(-\infty,-1)
[0, 1) \cup (1, 2] == [0,1)\cup(1,2]
x \in (-\infty, 2] == x \le 2
x \le 2 == (-\infty, 2]
(-inf, inf) == (-\infty,\infty)
(0, oo) == (0,\infty)
[0, \pi] == [0,\pi]
(−∞, 3) == (-\infty, 3)
\left(-\infty,-\frac{1}{2}\right) == (-\infty,-0.5)
[1, 2] \cup [2, 3] =/= [1,2)\cup(2,3]
x<1 or x>2 == (-\infty,1)\cup(2,\infty)
x \in \mathbb{R} == \mathbb{R}
\mathbb{R} \setminus \{1,2\} == (-\infty,1)\cup(1,2)\cup(2,\infty)
(-\infty,1)\cup(1,\infty) == x \ne 1
-1 \leq x < 4 == [-1,4)
0<x<\infty == (0,\infty)
[2,5] =/= [2,6]
[-1,1] =/= (-1,1]
(3,5) =/= [3,5]
[a,b] == [a, b]
[a,b) =/= [a,b]
y \in [0,1] == [0,1]
f(x) \ge 2 =/= (2,\infty)
(0,1) \cap (0.5, 2) == (0.5,1)
(1,2) == (1,2)
( 1 , 2 ) == (1,2)
[1,2] == [1, 2]
\left[1,2\right) == [1,2)
(2,\infty) == (2, \infty)
(2,+\infty) == (2,\infty)
(-\infty, 3] == \left(-\infty,3\right]
(2,12) \cup (12,102) == (2,12)\cup(12,102)
(12,102) \cup (2,12) == (2,12)\cup(12,102)
(-\infty,0)\cup(0,\infty) == (-\infty, 0) \cup (0, +\infty)
[\frac{1}{2}, 8] == [0.5, 8]
x \in [1,2] == [1,2]
[1,2] == x \in [1,2]
1 \le x \le 2 == [1,2]
1 \leq x \leq 2 == x \in [1,2]
x > 2 == (2,\infty)
(2,\infty) == x>2
2 < x == (2,\infty)
x<2 \text{ or } x>3 == (-\infty,2)\cup(3,\infty)
(-\infty,\infty) == \mathbb{R}
\mathbb{R} == (-\infty, \infty)
all real numbers == \mathbb{R}
\mathbb{R} \setminus \{0\} == (-\infty,0)\cup(0,\infty)
x \neq 0 == (-\infty,0)\cup(0,\infty)
\{x | x > 2\} == (2, \infty)
\{x \mid 1 < x < 2\} == (1,2)
]1,2[ == (1,2)
[1,2[ == [1,2)
[1,3] == [1,2]\cup[2,3]
[-\sqrt{2}, \sqrt{2}] == [-\sqrt2,\sqrt2]
(0,9) \cup (9,36) == (0,9)∪(9,36)
(1,2] =/= [1,2)
[1,2] =/= (1,2)
(1,2) =/= [1,2]
(1,2] =/= (1,2)
[1,2) =/= [1,2]
(1,2) =/= (1,3)
(2,\infty) =/= [2,\infty)
(2,\infty) =/= (-\infty,2)
(1,2)\cup(3,4) =/= (1,2)
(1,2)\cup(3,4) =/= (1,2)\cup(3,5)
(1,2)\cup(3,4) =/= (1,2)\cap(3,4)
(2,\infty) =/= 2
x > 2 =/= [2,\infty)
x < 2 =/= (2,\infty)
1 < x < 2 =/= [1,2]
\mathbb{R} =/= (0,\infty)

[tuples]
( -2 , 5 ) == (-2,5)
x=-2,y=5 == (-2,5)
(a,b,c) = (1,2,3) == (1,2,3)
\left(\frac{1}{2}, -\frac{3}{4}\right) == (0.5,-0.75)
(1, 2), (3, 4) == (3,4), (1,2)
(1,2) \text{ and } (3,4) == (3,4),(1,2)
\{(1,2), (2,1)\} == (2,1),(1,2)
(0,0,0) =/= (0,0)
(x, y) == (x,y)
(x,y) =/= (y,x)
(5,-3) =/= (-5,3)
(2n, 3n) == (2n,3n)
\langle 1, 2 \rangle == (1,2)
(1;2) == (1,2)
(\sqrt{2}, \pi) == (2^{1/2}, \pi)
1, 2, 3 == (1,2,3)
(1,2,3) == (1, 2, 3)
\left( 3, \frac{\pi}{2} \right) == (3,\pi/2)
(6,31,-1) == (6, 31, -1)
(0.5, 2) == \left(\frac12,2\right)
1,2 == (1,2)
(1,2) == 1,2
(x,y) = (1,2) == (1,2)
(x, y) = (1, 2) == (1,2)
x=1, y=2 == (1,2)
\langle 1,2,3 \rangle == (1,2,3)
[1,2,3] == (1,2,3)
(-1, 6) == (-1,6)
(\sqrt{4}, 1) == (2,1)
(1,-16,-4,43) == (1, -16, -4, 43)
\left(\dfrac{1}{3}, \dfrac{2}{3}\right) == (1/3, 2/3)
P(1,2) == (1,2)
(1,2) =/= (2,1)
(1,2,3) =/= (1,3,2)
(1,2) =/= (1,2,3)
(1,2) =/= (1,-2)
(1,2,3) =/= (3,2,1)
2,1 =/= (1,2)
(1,2) =/= 12
(1,2) =/= 1
x=2, y=1 =/= (1,2)
(10,20) =/= (10,2)
(1,234) =/= 1,235
(8, \frac{\pi}{3}) =/= (8, \frac{\pi}{6})

[matrices]
\begin{bmatrix}1&0\\0&1\end{bmatrix} == \begin{pmatrix}1&0\\0&1\end{pmatrix}
\begin{vmatrix}1&0\\0&1\end{vmatrix} =/= \begin{pmatrix}1&0\\0&2\end{pmatrix}
\begin{pmatrix}\frac12&0\\0&1\end{pmatrix} == \begin{pmatrix}0.5&0\\0&1.0\end{pmatrix}
\begin{pmatrix}1\\2\\3\end{pmatrix} == (1,2,3)
\begin{pmatrix}1\\2\\3\end{pmatrix} == \begin{bmatrix}1\\2\\3\end{bmatrix}
\begin{pmatrix}a&b\\c&d\end{pmatrix} == \begin{pmatrix}a & b\\ c & d\end{pmatrix}
\begin{pmatrix}1 & 2\end{pmatrix}^T == \begin{pmatrix}1\\2\end{pmatrix}
\begin{pmatrix} \sqrt{4} & 1 \\ 0 & 3 \end{pmatrix} == \begin{pmatrix} 2 & 1 \\ 0 & 3 \end{pmatrix}
\begin{pmatrix} 1/3 & 2/3 \\ 1 & 0 \end{pmatrix} == \begin{pmatrix} \frac{1}{3} & \frac{2}{3} \\[1ex] 1 & 0 \end{pmatrix}
A = \begin{pmatrix}1&2\\3&4\end{pmatrix} == \begin{pmatrix}1&2\\3&4\end{pmatrix}
2\begin{pmatrix}1\\2\end{pmatrix} == \begin{pmatrix}2\\4\end{pmatrix}
\frac{1}{3}\begin{pmatrix}1\\2\end{pmatrix} == \begin{pmatrix}1/3\\2/3\end{pmatrix}
\begin{pmatrix}1&2\\3&4\end{pmatrix} =/= \begin{pmatrix}1&2\\3&-4\end{pmatrix}
\begin{pmatrix}1&2\\3&4\end{pmatrix} =/= 1,2,3,4
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} == \begin{pmatrix}1&2\\3&4\end{pmatrix}
\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix} == \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}
\begin{pmatrix} 0.5 \\ 2 \end{pmatrix} == \begin{pmatrix} \frac12 \\ 2 \end{pmatrix}
\begin{pmatrix} -2 \\ -14 \\ -7 \end{pmatrix} == \begin{pmatrix}-2\\-14\\-7\end{pmatrix}
\left(\begin{array}{cc} 1 & 2 \\ 3 & 4 \end{array}\right) == \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}
\left[\begin{array}{r}1\\2\\3\end{array}\right] == \begin{bmatrix}1\\2\\3\end{bmatrix}
\begin{pmatrix} 1 & 2 \\ 3 & 4 \\ \end{pmatrix} == \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}
\begin{pmatrix} 1 \\ 2 \end{pmatrix} == (1,2)
[[1,2],[3,4]] == \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}
\begin{pmatrix} x+x \\ 1 \end{pmatrix} == \begin{pmatrix} 2x \\ 1 \end{pmatrix}
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} =/= \begin{pmatrix} 1 & 3 \\ 2 & 4 \end{pmatrix}
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} =/= \begin{pmatrix} 1 & 2 \\ 3 & 5 \end{pmatrix}
\begin{pmatrix} 1 \\ 2 \end{pmatrix} =/= \begin{pmatrix} 2 \\ 1 \end{pmatrix}
\begin{pmatrix} 1 \\ 2 \end{pmatrix} =/= \begin{pmatrix} 1 \\ 2 \\ 3 \end{pmatrix}
\begin{pmatrix} 1 & 2 & 3 & 4 \end{pmatrix} =/= \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}
\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix} =/= \begin{pmatrix} 0 & 1 \\ 1 & 0 \end{pmatrix}
\begin{pmatrix} 1 & 2 \end{pmatrix} =/= \begin{pmatrix} 1 \\ 2 \end{pmatrix}

[equations]
y = -\frac{1}{2}x + 3 == y=-0.5x+3
x + 2y = 6 == y=-\frac{1}{2}x+3
y-3 = -\frac12 x == x+2y=6
3x+4y-12=0 == 3x+4y=12
(x-1)^2 + y^2 = 4 == x^2-2x+y^2=3
\frac{x^2}{4}+\frac{y^2}{9}=1 == 9x^2+4y^2=36
y^2 = 4x == x = \frac{y^2}{4}
f(x) = 2x == 2x
g(x)=x^2-2x+2 == x^{2}-2x+2
f^{-1}(x) = \frac{x-1}{2} == \frac{x-1}{2}
S_n = n^2 == n^2
a_n = 2n-1 == 2n-1
\theta = 45^\circ == 45^\circ
n = 5 == n=5
x=\frac{-1\pm\sqrt5}{2} == \frac{-1+\sqrt5}{2},\frac{-1-\sqrt5}{2}
E=mc^2 == E = c^2 m
m\angle A = 50 == 50
x = 3, y = 4 == x=3,y=4
y=4, x=3 == x=3, y=4
x=3,y=4 =/= x=4,y=3
y=x^2 =/= y=x^3
x^2=4 =/= x=4
x+y=5 =/= x+y=6
2x=4 == x=2
y=2 =/= x=2
1=1 =/= 2
f(x)=2x =/= f(x)=3x
z = 1 + i == 1+i
X_{d}=125-1.25 P == 125-1.25P
x=5 == 5
5 == x=5
x = 5 == x=5
5 = x == x=5
y = 2x+3 == 2x+3
y=2x+3 == y = 3 + 2x
2x+3 == y=2x+3
2x - y + 3 = 0 == y=2x+3
f(x)=x+22 == x+22
x + 22 == f(x) = x + 22
f(x) = 22 + x == f(x)=x+22
y=x+22 == f(x)=x+22
x^2+y^2=1 == y^2 + x^2 = 1
x^2+y^2-1=0 == x^2+y^2=1
(x-3)^{2}+(y-5)^{2}=65 == (x-3)^2 + (y-5)^2 = 65
2x+4y=6 == x+2y=3
k = n+1 == n+1
x = \frac{6}{2} = 3 == 3
2+3=5 == 5
a = 3 == 3
\angle ABC = 30^\circ == 30
AB = 5 == 5
x_1 = 2 == 2
A = \pi r^2 == \pi r^2
\text{Area} = 12 == 12
P(A) = \frac{1}{2} == 0.5
x=5 =/= x=6
x=5 =/= y=5
x=5 =/= 6
y=2x+3 =/= y=3x+2
y = 2x+3 =/= 2x-3
x^2+y^2=1 =/= x^2-y^2=1
x^2+y^2=1 =/= x^2+y^2=2
2x+3=7 =/= 7
x+y=1 =/= 1
y=2x =/= x=2y
x=5 =/= x>5
x=5 =/= x \ne 5

[inequalities]
x \lt 3 == x<3
3 \gt x == x<3
x≥2 == x \geq 2
x \leqslant 2 == x\leq2
0 \leq x \leq 1 == 1 \ge x \ge 0
x\ge0, x\le 1 =/= x \ge 0
2x+1>5 == x>2
a^2+b^2 \ge 2ab == 2ab \le a^2+b^2
n \ge 3 =/= n > 3
x<3 =/= x>3
x<3 =/= x<4
-1<x =/= x<-1
m \geq 1 == m\ge 1
x>5 == x > 5
x>5 == 5<x
x \ge 5 == x \geq 5
x\geqslant 5 == x \ge 5
x>=5 == x \ge 5
5 \le x == x\ge5
2x > 10 == x > 5
-2<x<3 == -2 < x < 3
3 > x > -2 == -2<x<3
x \le -1 \text{ or } x \ge 1 == x \ge 1 \text{ or } x \le -1
x>2 and x<3 == 2<x<3
k \geqslant 2 == k\ge 2
n<7 == n < 7
x \ne 3 == x \neq 3
a \le b == b \ge a
x + y > 1 == y > 1 - x
-x < -5 == x > 5
x > 5 =/= x < 5
x > 5 =/= x \ge 5
x \ge 5 =/= x \le 5
x > 5 =/= x > 6
x > 5 =/= 5
5 =/= x > 5
x > 5 =/= x = 5
x > 5 =/= y > 5
-2<x<3 =/= -2\le x<3
-2<x<3 =/= -3<x<2
x<5 =/= 5<x
a<b =/= b<a
x \ne 3 =/= x = 3
-x < 5 =/= x < -5

[polynomials]
x^2-5x+6 == (x-2)(x-3)
x^{3}+3x^{2}+3x+1 == (x+1)^3
-x^2+4 == 4-x^2
2(x+3) == 2x+6
2x+6 =/= 2x+5
x^2+x+1 =/= x^2+x-1
a^2 - b^2 == (a-b)(a+b)
(x + 1)(x - 1) == x^2-1
5x^4 == 5 x^{4}
\frac{3}{4}x^2 == 0.75x^2
3x^2y == 3yx^2
xyz == zyx
6x^3 =/= 6x^2
x^{-1} == \frac{1}{x}
x^{1/2} == \sqrt{x}
(2x)^2 == 4x^2
2x^2 =/= 4x^2
-(x-1) == 1-x
4x - 3 == -3+4x
n^{2}+n == n(n+1)
\frac{n(n+1)(2n+1)}{6} == \frac{2n^3+3n^2+n}{6}
2^n-1 == -1+2^n
2^{n}\cdot 2 == 2^{n+1}
3^{2n} == 9^n
(n+1)! == (n+1) n!
X^2+1 == x^2+1
m(s^2+s+\frac{37}{4}) == ms^2+ms+\frac{37m}{4}
\frac{1}{s+a} == 1/(s+a)
x^{10} =/= x^{100}
x^2+2x+1 == (x+1)^2
(x+1)^2 == x^2 + 2x + 1
x^{2}+2 x+1 == 1+2x+x^2
-13x+3 == 3-13x
8n^2+4n+1 == 4n + 8n^2 + 1
x(x+1) == x^2+x
(x-1)(x-2) == x^2-3x+2
2xy == 2yx
xy == yx
x*y == xy
3x == 3 \cdot x
\frac{x}{2} == 0.5x
\frac{1}{2}x == x/2
x^3-x == x(x-1)(x+1)
(a+b)^2 == a^2+2ab+b^2
p^{2}+14 p+49 == (p+7)^2
\frac{x^2-1}{x-1} == x+1
\frac{9 r}{5(r+1)} == \frac{9r}{5r+5}
2RC+R+C == R + C + 2CR
n(n-1) == n^2-n
x^2 y == y x^2
x**2 == x^2
2^{k-n} == \frac{2^k}{2^n}
M=2^{N-2}+1 == 2^{N-2}+1
\frac{1-p^{2}}{3} == \frac{(1-p)(1+p)}{3}
x_1+x_2 == x_2+x_1
\alpha+\beta == \beta+\alpha
t^{4}+t^{2} == t^2(t^2+1)
k\left(4 k^{2}+k-1\right) / 2 == \frac{4k^3+k^2-k}{2}
x^2+2x+1 =/= x^2+2x
x^2+2x+1 =/= x^2-2x+1
(x+1)^2 =/= x^2+1
x^2 =/= 2x
x^{2} =/= x_2
x^2 =/= x2
2xy =/= 2x+y
x+1 =/= y+1
x+1 =/= x-1
x^{12} =/= x^1 2
ax+b =/= bx+a
n^2+1 =/= n^2
x^{n+1} =/= x^n+1
2^{n-1} =/= 2^n-1
n =/= 2n
3x =/= x^3
x^2-1 =/= (x-1)^2
-x+1 =/= -(x+1)
x_1+x_2 =/= x_1+x_3

[radicals]
\sqrt{50} == 5\sqrt{2}
\sqrt{8}+\sqrt{2} == 3\sqrt2
\frac{6}{\sqrt{3}} == 2\sqrt{3}
\sqrt{\frac{3}{4}} == \frac{\sqrt3}{2}
\sqrt{0.25} == 0.5
\sqrt[4]{16} == 2
27^{1/3} == 3
27^{\frac{2}{3}} == 9
\sqrt{x^4} == x^2
2 \sqrt{10} == 2\sqrt{10}
2\sqrt{10} == \sqrt{40}
sqrt{2} == \sqrt{2}
sqrt2 == \sqrt{2}
\sqrt2/2 == \frac{\sqrt{2}}{2}
3+\sqrt{2} =/= 3-\sqrt{2}
\sqrt{5} =/= 5
\sqrt{10} =/= \sqrt{5}\cdot 2
\sqrt{a}\sqrt{b} == \sqrt{ab}
(1+\sqrt{2})^2 == 3+2\sqrt2
\frac{1}{\sqrt{2}-1} == \sqrt{2}+1
e^{\pi} =/= \pi^{e}
\ln 2 =/= \log_{10} 2
\log_{10} 100 == 2
\lg 100 == 2
\pi^2 == \pi \cdot \pi
\sin\frac{\pi}{6} == \frac{1}{2}
\frac{\pi}{2}-1 == -1+\pi/2
\cot \frac{\pi}{4} == 1
\arcsin\frac12 == \frac{\pi}{6}
\tan^{-1}(1) == \frac{\pi}{4}
\frac{\sin x}{\cos x} == \tan x
\sec^2 x == 1+\tan^2 x
\ln(ab) == \ln a+\ln b
\ln x^2 == 2\ln x
e^{-2x} == \frac{1}{e^{2x}}
\cosh x == \frac{e^x+e^{-x}}{2}
x e^{3x} == xe^{3 x}
\frac{1}{b-a}\left(e^{-a t}-e^{-b t}\right) == \frac{e^{-at}-e^{-bt}}{b-a}
t \tan t+\ln |\cos t|+C == C + t\tan t + \ln|\cos t|
\sqrt{12} == 2\sqrt{3}
2\sqrt3 == 2\sqrt{3}
2\sqrt 3 == 2\sqrt{3}
\frac{\sqrt{3}}{3} == \frac{1}{\sqrt{3}}
11\sqrt5+11 == 11 \sqrt{5} + 11
\sqrt[3]{8} == 2
\sqrt[3]{16} == 2\sqrt[3]{2}
\sqrt{2}\sqrt{3} == \sqrt{6}
√2 == \sqrt{2}
3√2 == 3\sqrt{2}
sqrt(2) == \sqrt{2}
2*sqrt(3) == 2\sqrt{3}
2^{1/2} == \sqrt{2}
2^{0.5} == \sqrt2
2^{-2/3} == \frac{1}{\sqrt[3]{4}}
\sqrt{\frac{1}{2}} == \frac{\sqrt{2}}{2}
\frac{2 \sqrt{5}}{5} == \frac{2}{\sqrt5}
\sqrt{3+2\sqrt{2}} == 1+\sqrt{2}
\frac{1+\sqrt{5}}{2} == \frac{1}{2} + \frac{\sqrt{5}}{2}
(\sqrt{2}+\sqrt{6}) / 2 == \frac{\sqrt6+\sqrt2}{2}
10\sqrt{26} == \sqrt{2600}
\sqrt{2}+\sqrt{3} == \sqrt{3} + \sqrt{2}
\sqrt[3]{-8} == -2
\frac{-1+\sqrt{5}}{2} == \frac{\sqrt{5}-1}{2}
\sqrt{x^2 y} == \sqrt{yx^2}
\cos 60^\circ == \frac12
\sin 30° == 0.5
8(\sqrt[10]{2^{7}}) == 8 \cdot 2^{0.7}
\log_2 8 == 3
\ln e^2 == 2
18+2\pi == 2(\pi+9)
\frac{81}{32}\pi == \frac{81\pi}{32}
e^{2\ln 3} == 9
\frac{\log 2}{\log 2-\log 3} == \frac{\ln 2}{\ln 2 - \ln 3}
\tan 45^\circ == 1
\arctan 1 == \frac{\pi}{4}
\sqrt{12} =/= 3\sqrt{2}
\sqrt{2} =/= 2
\sqrt{2} =/= \sqrt{3}
\sqrt[3]{2} =/= \sqrt{2}
2\sqrt{3} =/= \sqrt{6}
\sqrt{2}+\sqrt{3} =/= \sqrt{5}
\sqrt{4} =/= -2
3\sqrt{2} =/= \sqrt[3]{2}
\sqrt{x^2} =/= x
|x| =/= x
\pi =/= \frac{22}{7}
2\pi =/= 2
\sqrt{23} =/= \sqrt{2}3
\log_2 8 =/= \log_3 8
\sin x =/= \cos x
\sin^2 x+\cos^2 x == 1
\sin 2x == 2\sin x\cos x
\sin^2 x == (\sin x)^2
\sin^{-1} x == \arcsin x
e^{x} =/= e^{-x}
e^x == \exp(x)

[complex]
3+4i == 4i+3
(2+i)(2-i) == 5
\sqrt{-4} == 2i
2i =/= -2i
1+i =/= 1-i
i^{3} == -i
\cos\theta+i\sin\theta == e^{i\theta}
-1+i\sqrt{3} == -1+\sqrt{3}i
\frac{3}{5}-\frac{4}{5}i == \frac{3-4i}{5}
2\left(\cos\frac{\pi}{6}+i\sin\frac{\pi}{6}\right) == \sqrt{3}+i
5\text{i} == 5i
3 + 4j =/= 3+4i
|3+4i| == 5
6+9i == 9i+6
6+9i == 6 + 9i
1-12i == 1 - 12 i
3i == 3 i
i == \mathrm{i}
-i == \frac{1}{i}
i^2 == -1
(1+i)^2 == 2i
e^{i\pi} == -1
\frac{1+i}{2} == \frac12+\frac12 i
1+\sqrt{3}i == 1 + i\sqrt{3}
3i,-3i == \pm 3i
\frac{1}{1+i} == \frac{1-i}{2}
2e^{i\pi/2} == 2i
\cos\frac{\pi}{3}+i\sin\frac{\pi}{3} == e^{i\pi/3}
-\frac{1}{2} \pm 3 i == -\frac12+3i, -\frac12-3i
6+9i =/= 6-9i
6+9i =/= 9+6i
6+9i =/= 15
6+9i =/= 6
3i =/= 3
i =/= -i
i =/= 1
1+\sqrt{3}i =/= 1-\sqrt{3}i
e^{i\pi/3} =/= e^{-i\pi/3}

[multiple choice]
(B) == B
B) 12 == B
\boxed{B} == B
\text{B} == \text{(B)}
\textbf{(B) } 12 == B
\text{B. } 12 == B
B \text{ only} =/= C
A, B, D == ABD
A and B == AB
AB == BA
(A), (C) == A, C
\mathbf{D} == D
\text{Option B} == B
b) == B
D. None of the above == D
BCD =/= BC
A =/= AB
C == C
(C) == C
C == (C)
\text{C} == C
\text{(C)} == C
C == \text{(C)}
\textbf{(C)} == C
\mathrm{C} == C
C. == C
C) == C
C: 5 == C
(C) 12 == C
\text{(C) } 12 == C
\textbf{(C)}\ 12 == C
\text{C) blue} == C
c == C
Option C == C
The answer is C == C
A,C == AC
A and C == A,C
C, A == A,C
ACD == A, C, D
A =/= C
(A) =/= C
\text{(A)} =/= \text{(B)}
12 =/= C
A. =/= C
(A) C =/= C
B, C =/= C
AC =/= A
AC =/= AD
\text{A) C} =/= C
Cat =/= C
D =/= E
E =/= A

[dates]
July 4, 1776 == 4 July 1776
July 4, 1776 == \text{July 4, 1776}
July 4 == 4 July
1776-07-04 == July 4, 1776
Monday == \text{Monday}
Tuesday =/= \text{Thursday}
December 25 =/= December 24
3:30 PM == 3:30 \text{ p.m.}
3:30 == 3:30
7:00 am =/= 7:00 pm
2023 == 2023
12:15 =/= 12:51
\text{April} == April
Sept 5 == September 5
March 5, 2024 == 5 March 2024
March 5, 2024 == March 5 2024
2024-03-05 == March 5, 2024
\text{March 5, 2024} == March 5, 2024
Mar 5 == March 5
March 5th == March 5
5th of March == March 5
\text{Friday} == Friday
friday == \text{Friday}
1998 == 1998
10:30 == 10:30
10:30 a.m. == 10:30 AM
10:30 == 10\!:\!30
3 PM == 3:00 PM
March 5, 2024 =/= March 6, 2024
March 5, 2024 =/= May 3, 2024
2024-03-05 =/= 2024-05-03
March 5 =/= April 5
\text{Friday} =/= \text{Monday}
10:30 =/= 10:31
3 PM =/= 3 AM

[text]
\text{Alice} == alice
\text{ Alice } == Alice
Alice and Bob == Bob and Alice
\text{Alice, Bob} == Alice, Bob
right triangle == \text{right triangle}
a right triangle == right triangle
\text{even function} =/= \text{odd function}
\text{neither} == neither
increasing =/= decreasing
\text{no real solutions} == No real solutions
none == None
\text{None} == \emptyset
\text{Impossible} == impossible
\text{Not a function} == not a function
function =/= not a function
yes =/= no
true == True
F == \text{F}
\infty == +\infty
\alpha == \alpha
\alpha =/= \beta
\theta =/= \phi
m == \text{m}
\Delta ABC == \triangle ABC
1011_2 == 1011_{2}
1011_{2} =/= 1101_{2}
12_{10} =/= 12_8
AAS == \text{AAS}
\text{SAS} =/= \text{ASA}
2:3 == 2 : 3
2:3 == \frac{2}{3}
7:5 =/= 5:7
Ciphertext =/= plaintext
Evelyn == \text{Evelyn}
\text{evelyn} == Evelyn
\textbf{Evelyn} == \text{Evelyn}
Evelyn. == Evelyn
\text{No solution} == no solution
no solution == \text{No solutions}
\text{Yes} == yes
Yes. == \text{Yes}
\text{ellipse} == Ellipse
the ellipse == ellipse
an ellipse == \text{ellipse}
\infty == ∞
infinity == \infty
-\infty == - \infty
undefined == \text{undefined}
DNE == does not exist
\text{even} == even
True == \text{True}
MR=SRMC == MR = SRMC
Neptune == \text{Neptune}
diverges == \text{diverges}
\text{east} =/= \text{west}
Yes =/= No
\text{even} =/= \text{odd}
Evelyn =/= Evan
\text{hyperbola} =/= \text{ellipse}
no solution =/= 0
\infty =/= -\infty
True =/= False
converges =/= diverges
cat =/= act
undefined =/= 0
4343_6 == 4343_{6}
4343_6 == 4343_{(6)}
4343_{\text{six}} == 4343_6
101_2 =/= 101_3
4343_6 =/= 4343_7
4343_6 =/= 4343
1:1 == 1:1
3:4 == 3 : 4
3:4 == \frac{3}{4}
1:2 =/= 2:1
3:4 =/= 4:3

[ratios and others]
1:2:3 == 1 : 2 : 3
1:2:3 =/= 1:3:2
\frac{\pi}{4} == \pi/4
\frac{4\pi}{3} == \frac43\pi
4\pi =/= 4
2\ln 3 == \ln 9
\log 100 == 2
\lfloor\frac{2 n-1}{5}\rfloor == \left\lfloor \frac{2n-1}{5} \right\rfloor
n! == n!
\frac{n!}{2} == \frac12 n!
\binom{n}{2} == \frac{n(n-1)}{2}
C_5^2 =/= 11
\sum_{k=1}^{n} k == \frac{n(n+1)}{2}
\int_0^1 x dx == \frac12
2^{2^{2}} == 16
9^{9^{9}} =/= 9^{9^{8}}
\overline{AB} == \overline{AB}
\vec{a}+\vec{b} == \vec{b}+\vec{a}
x / 8-(\sin 4 x) / 32+C == \frac{x}{8}-\frac{\sin 4x}{32}+C
"""


def cases() -> list[tuple[str, str, str, bool]]:
    """(category, answer, gold, whether it is right) of every line."""
    found, category = [], ""
    for line in CASES.strip().split("\n"):
        if line.startswith("[") and line.endswith("]") and "==" not in line and "=/=" not in line:
            category = line[1:-1]
        elif line.strip():
            right = " == " in line
            answer, gold = line.split(" == " if right else " =/= ")
            found.append((category, answer, gold, right))
    return found
