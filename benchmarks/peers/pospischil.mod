: The cortical neuron of benchmarks/workloads.py as one mechanism, for NEURON and Arbor. Units: mV, ms, S/cm2, mA/cm2.
NEURON {
    SUFFIX pospischil
    NONSPECIFIC_CURRENT i
    RANGE g_Na, g_K, g_M, g_L, E_Na, E_K, E_L, V_T, tau_max
}

PARAMETER {
    g_Na = 0.05
    g_K = 0.005
    g_M = 0.00007
    g_L = 0.0001
    E_Na = 53
    E_K = -107
    E_L = -70
    V_T = -60
    tau_max = 600
}

ASSIGNED {
    i
}

STATE {
    m
    h
    n
    p
}

INITIAL {
    m = alpha_m(v) / (alpha_m(v) + beta_m(v))
    h = alpha_h(v) / (alpha_h(v) + beta_h(v))
    n = alpha_n(v) / (alpha_n(v) + beta_n(v))
    p = p_inf(v)
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    i = g_Na*m*m*m*h*(v - E_Na) + (g_K*n*n*n*n + g_M*p)*(v - E_K) + g_L*(v - E_L)
}

DERIVATIVE states {
    LOCAL a_m, b_m, a_h, b_h, a_n, b_n, p_rate, p_limit
    a_m = alpha_m(v)
    b_m = beta_m(v)
    a_h = alpha_h(v)
    b_h = beta_h(v)
    a_n = alpha_n(v)
    b_n = beta_n(v)
    p_limit = p_inf(v)
    p_rate = (3.3*exp(0.05*(v + 35)) + exp(-0.05*(v + 35)))/tau_max
    m' = a_m - (a_m + b_m)*m
    h' = a_h - (a_h + b_h)*h
    n' = a_n - (a_n + b_n)*n
    p' = p_limit*p_rate - p_rate*p
}

FUNCTION ratio(z) {
    if (z*z < 1e-8) {
        ratio = 1 - z/2
    } else {
        ratio = z/(exp(z) - 1)
    }
}

FUNCTION alpha_m(v) {
    alpha_m = 1.28*ratio(-0.25*(v - V_T - 13))
}

FUNCTION beta_m(v) {
    beta_m = 1.4*ratio(0.2*(v - V_T - 40))
}

FUNCTION alpha_h(v) {
    alpha_h = 0.128*exp(-(v - V_T - 17)/18)
}

FUNCTION beta_h(v) {
    beta_h = 4/(1 + exp(-0.2*(v - V_T - 40)))
}

FUNCTION alpha_n(v) {
    alpha_n = 0.16*ratio(-0.2*(v - V_T - 15))
}

FUNCTION beta_n(v) {
    beta_n = 0.5*exp(-(v - V_T - 10)/40)
}

FUNCTION p_inf(v) {
    p_inf = 1/(1 + exp(-0.1*(v + 35)))
}
